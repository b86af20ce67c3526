// The suite waits for processes, sockets and timers more than it computes: fixtures run side by side, the tests of one fixture one after the other.
// What looks at the whole process (its memory, its static listeners) is [NonParallelizable] and says why.
[assembly: Parallelizable(ParallelScope.Fixtures)]
[assembly: LevelOfParallelism(3)]
