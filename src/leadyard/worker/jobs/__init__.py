"""Jobs: claims them, runs them stage by stage, ends them or hands them back. Each kind of job has its own folder."""
