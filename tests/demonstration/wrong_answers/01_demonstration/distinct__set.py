# fails: the distinct items, in order
def distinct(items):
    return list(set(items))
