"""What a lesson needs: tables, plots and diagrams of what was just measured."""
