"""The commands of `phusong`, by topic. What is heavy is imported where a command runs, so that help comes at once."""
