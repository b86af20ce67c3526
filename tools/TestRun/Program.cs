using Piccolo.TestRun;

// Called by ./dev test, which has built everything and passes its options on.
try
{
    return await new Gate(RunOptions.Parse(args), RunFolders.Find(AppContext.BaseDirectory)).RunAsync();
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync($"dev: test: {e.Message}");
    return 2;
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException)
{
    // The log, the results or the state of a failure could not be written: a full disk, above all.
    Console.WriteLine($"FAILED (the run): {e.Message}");
    Console.WriteLine("0 passed, 1 failed");
    return 1;
}
