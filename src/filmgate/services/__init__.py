"""The use cases, written against ports only: who may call, what it costs, how a task goes on."""
