"""The tools as Pydantic AI takes them, and as it rewrites their schemas for OpenAI and Gemini."""
