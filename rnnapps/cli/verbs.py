"""x"""
def run(verb, pipeline, arguments):
    print(arguments); return 0
