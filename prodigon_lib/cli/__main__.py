"""python -m prodigon_lib.cli"""

from prodigon_lib.cli.application import main

if __name__ == "__main__":
    main()
