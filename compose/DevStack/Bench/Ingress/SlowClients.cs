using System.Globalization;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>The process of <see cref="SlowHellos"/>, from outside.</summary>
internal sealed class SlowClients(ChildProcess process) : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    /// <summary>Of the last whole second.</summary>
    /// <exception cref="InvalidOperationException">They have ended: what was measured beside them was not.</exception>
    public SlowFigures Figures => process.Exited.IsCompleted
        ? throw new InvalidOperationException($"The slow clients have ended (code {process.ExitCode}). Their log is {process.LogFile}.")
        : SlowFigures.Parse(File.ReadLines(process.LogFile).Last(line => line.StartsWith(SlowFigures.Mark, StringComparison.Ordinal)));

    /// <inheritdoc cref="ProcessFigures.CpuSeconds"/>
    public double CpuSeconds => ProcessFigures.CpuSeconds(process.Id);

    /// <summary>Returns when all are connected and sending.</summary>
    /// <param name="log">Its folder must exist.</param>
    public static async Task<SlowClients> StartAsync(int port, int count, string log)
    {
        string[] arguments = ["exec", SolutionBuild.Find("DevStack"), SlowHellos.Command, Text(port), Text(count)];
        var process = ChildProcess.Start(new ChildProcessStart("dotnet", arguments, log, "dotnet-sdk-10.0")
        {
            // Without counters for a second compilation, which would be more work beside the users.
            Environment = new Dictionary<string, string> { ["DOTNET_TieredPGO"] = "0" },
        });
        try
        {
            await process.WaitForLineAsync(SlowFigures.Mark, StartLimit);
            return new SlowClients(process);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
