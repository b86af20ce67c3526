using System.Diagnostics;

namespace Piccolo.TestRun;

/// <summary>Runs <c>dotnet test</c> on the built assembly; what it prints is shown and logged, never read.</summary>
internal sealed class DotnetTest(RunFolders folders, RunOptions options)
{
    /// <summary>The value marks every process of a run, so that the next run knows what a killed one left.</summary>
    public const string MarkVariable = "PICCOLO_TEST_RUN";

    private const string SeedVariable = "PICCOLO_TEST_SEED";
    private const string FailedVariable = "PICCOLO_TEST_FAILED";
    private const string HangLimit = "5m";

    public static string TrxIn(string results) => Path.Combine(results, "results.trx");

    /// <param name="results">An empty folder for the result file and what blame writes.</param>
    /// <param name="failed">Where tests keep the state of a failure.</param>
    /// <param name="show">Receives each line; null: nothing is shown.</param>
    /// <returns>The exit code.</returns>
    public Task<int> RunAsync(string filter, string results, string failed, Action<string>? show)
    {
        string[] only = filter.Length > 0 ? ["--filter", filter] : [];
        return StartAsync(
            ["test", folders.TestAssembly, .. only, "--logger", "trx;LogFileName=results.trx", "--logger", "console;verbosity=normal", "--results-directory",
                results,
                "--blame-hang-timeout", HangLimit, "--blame-hang-dump-type", "mini", "--", "NUnit.DisplayName=FullName"],
            failed, show);
    }

    /// <returns>Full names, with arguments, of the tests that a filter selects.</returns>
    public async Task<IReadOnlyList<string>> ListAsync(string filter, string file)
    {
        string[] only = filter.Length > 0 ? [$"--TestCaseFilter:{filter}"] : [];
        await StartAsync(["test", folders.TestAssembly, "--ListFullyQualifiedTests", $"--ListTestsTargetPath:{file}", .. only], folders.Failed, show: null);
        return File.Exists(file) ? await File.ReadAllLinesAsync(file) : [];
    }

    private async Task<int> StartAsync(string[] arguments, string failed, Action<string>? show)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folders.Root,
        };
        start.Environment[MarkVariable] = $"{Environment.ProcessId}:{folders.Root}";
        start.Environment[SeedVariable] = $"{options.Seed}";
        start.Environment[FailedVariable] = failed;
        // Test processes are short-lived; what this saves was not measured by itself.
        start.Environment["DOTNET_TieredPGO"] = "0";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        await Task.WhenAll(PassAsync(process.StandardOutput), PassAsync(process.StandardError));
        await process.WaitForExitAsync();
        return process.ExitCode;

        async Task PassAsync(StreamReader reader)
        {
            while (await reader.ReadLineAsync() is { } line) show?.Invoke(line);
        }
    }
}
