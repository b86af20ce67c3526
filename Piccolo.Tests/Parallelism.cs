// Fixtures run side by side, because one often waits for a process, a socket or a timer; the tests of one fixture run one after the other.
// What looks at the whole process (its memory, its static listeners) is [NonParallelizable] and says why.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(3)]
