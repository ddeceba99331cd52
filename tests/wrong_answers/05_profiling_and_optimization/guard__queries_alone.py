# fails: dearer in Python code
def dearer(candidate, reference):
    return candidate() > 1.15 * reference()
