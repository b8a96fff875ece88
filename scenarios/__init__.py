"""The planner's job: scenario file, pipeline, runs, comparison, reports, maps, command line."""
