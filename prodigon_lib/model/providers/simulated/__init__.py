"""The simulated model: answers from the curriculum's text, at the pace and with the faults of a real one."""
