using Piccolo.TestRun.Flaky;
using Piccolo.TestRun.Machine;
using Piccolo.TestRun.Report;
using Piccolo.TestRun.Results;

namespace Piccolo.TestRun;

/// <summary>One run: the machine is looked at and cleaned, tests run, failures are kept and told apart, and the last line says how it ended.</summary>
internal sealed class Gate(RunOptions options, RunFolders folders)
{
    private readonly DotnetTest _dotnet = new(folders, options);

    /// <returns>0 when at least one test ran and every test passed.</returns>
    public async Task<int> RunAsync()
    {
        Directory.CreateDirectory(folders.Artifacts);
        using var running = RunLock.Take(folders.LockFile);
        if (running is null) return Refuse("another ./dev test runs in this checkout");
        if (!File.Exists(folders.TestAssembly)) return Refuse($"{folders.TestAssembly} is not built");
        var machine = await CleanUp.RunAsync(folders.Root, Say);
        if (DiskRoom.Faults([folders.Artifacts, Path.GetTempPath()], DiskRoom.Free) is { Count: > 0 } full) return Refuse(string.Join("; ", full));
        FailedFolder.Empty(folders.Failed);
        FailedFolder.Empty(folders.Results);
        var address = LoopbackIPv6.Fault(LoopbackIPv6.Bind);
        if (address is not null) Say(address);
        Say($"running {(options.Filter.Length > 0 ? options.Filter : "every test")}, property tests begin at seed {options.Seed} (--seed {options.Seed})");

        var (trx, faults) = await RunTestsAsync();
        var known = KnownFlaky.Read(File.Exists(folders.KnownFlaky) ? File.ReadLines(folders.KnownFlaky) : [], Today,
            () => EveryTestAsync().GetAwaiter().GetResult());
        var again = await RunAgainAsync(trx.Results, faults.Count == 0);
        var failed = trx.Results.Where(result => !result.HasPassed).ToList();
        string[] port = PortTaken.Sentence(failed) is { } sentence ? [sentence] : [];
        var verdict = Verdict.Of(trx.Results, again, known,
            [.. faults, .. known.Faults, .. machine, .. address is null ? Array.Empty<string>() : [address], .. port]);
        Report(failed, verdict, trx);
        return verdict.IsGreen ? 0 : 1;
    }

    private static DateOnly Today => DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().Date);

    private async Task<(TrxFile Trx, IReadOnlyList<string> Faults)> RunTestsAsync()
    {
        int code;
        await using (var log = new StreamWriter(folders.Log) { AutoFlush = true })
        {
            var gate = new Lock();
            code = await _dotnet.RunAsync(options.Filter, folders.Results, folders.Failed, line =>
            {
                lock (gate)
                {
                    Console.WriteLine(line);
                    log.WriteLine(line);
                }
            });
        }
        var running = SequenceFile.RunningIn(folders.Results);
        try
        {
            var trx = TrxFile.Read(DotnetTest.TrxIn(folders.Results));
            return (trx, RunFaults.Of(trx, code, running, () => MissingAsync(trx).GetAwaiter().GetResult()));
        }
        catch (TornResultsException e)
        {
            var names = running.Count > 0 ? $"; these tests were running: {string.Join(", ", running)}" : "";
            return (new TrxFile([], [], null), [$"{e.Message}; dotnet test ended with code {code}{names}; see {folders.Log}"]);
        }
    }

    /// <summary>What was to run and is in no result. The list writes arguments in its own way, so methods are compared by their number of cases.</summary>
    private async Task<IReadOnlyList<string>> MissingAsync(TrxFile trx)
    {
        var ran = trx.Results.CountBy(result => result.Method, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        var all = await _dotnet.ListAsync(options.Filter, Path.Combine(folders.Results, "discovered.txt"));
        return [.. all.CountBy(WithoutArguments, StringComparer.Ordinal).Where(method => method.Value > ran.GetValueOrDefault(method.Key))
            .Select(method => method.Key)];
    }

    private async Task<IReadOnlySet<string>> EveryTestAsync() =>
        (await _dotnet.ListAsync("", Path.Combine(folders.Results, "every-test.txt"))).Select(WithoutArguments).ToHashSet(StringComparer.Ordinal);

    private static string WithoutArguments(string name) => name.Split('(')[0];

    /// <returns>How often each failed test passed, of those that may be run again.</returns>
    private async Task<IReadOnlyDictionary<string, int>> RunAgainAsync(IReadOnlyList<TestResult> results, bool runIsWhole)
    {
        var passed = new Dictionary<string, int>(StringComparer.Ordinal);
        var failed = results.Where(result => !result.HasPassed).ToList();
        if (!RetryRules.Allow(failed.Count, runIsWhole)) return passed;
        foreach (var test in failed.Where(RetryRules.AllowByName))
        {
            var filter = RetryRules.Filter(test);
            if ((await _dotnet.ListAsync(filter, Path.Combine(folders.Results, "again.txt"))).Count == 0) continue;
            Say($"running {test.Name} again, {RetryRules.Times} times");
            passed[test.Name] = 0;
            for (var time = 1; time <= RetryRules.Times; time++)
            {
                var place = Directory.CreateDirectory(Path.Combine(folders.Results, $"again-{passed.Count}-{time}")).FullName;
                await _dotnet.RunAsync(filter, place, Path.Combine(place, "failed"), show: null);
                if (HasPassed(DotnetTest.TrxIn(place), test.Name)) passed[test.Name]++;
            }
        }
        return passed;
    }

    private static bool HasPassed(string file, string name)
    {
        try
        {
            return TrxFile.Read(file).Results.Where(result => result.Name == name).ToList() is [var only] && only.HasPassed;
        }
        catch (TornResultsException)
        {
            return false;
        }
    }

    private void Report(IReadOnlyList<TestResult> failed, Verdict verdict, TrxFile trx)
    {
        Console.WriteLine();
        foreach (var line in failed.SelectMany(test => FailedFolder.Keep(folders.Failed, test))) Console.WriteLine(line);
        foreach (var line in verdict.Lines) Console.WriteLine(line);
        if (options.Name == "Nexus") Console.WriteLine(NexusCounts.Of(File.ReadLines(folders.NexusTable), trx.Results));
        Console.WriteLine(verdict.ClosingLine);
    }

    private static int Refuse(string sentence)
    {
        Console.WriteLine($"FAILED (the run): {sentence}");
        Console.WriteLine("0 passed, 1 failed");
        return 1;
    }

    private static void Say(string sentence) => Console.Error.WriteLine($"dev: {sentence}");
}
