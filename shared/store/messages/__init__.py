"""Messages of every conversation.

Nothing is imported here: who only reads their documents loads none of their methods.
"""
