"""Thin modules for frameworks, each with an extra of its own: `pip install "shared-context-client[langgraph]"`.

A module is named after its framework, and imports nothing of the others. LlamaIndex, ADK and pydantic-ai have their
place here too.
"""
