using System.Globalization;
using Piccolo.Rig;

namespace Piccolo.Bench.Ingress;

/// <summary>The process of <see cref="SlowHellos"/>, from outside.</summary>
internal sealed class SlowClients : IAsyncDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);
    private readonly ChildProcess _process;
    private int _orders;

    /// <param name="log">Its folder must exist.</param>
    public SlowClients(int port, int count, string log)
    {
        string[] arguments = ["exec", SolutionBuild.Find("Bench"), SlowHellos.Command, Text(port), Text(count)];
        _process = ChildProcess.Start(new ChildProcessStart("dotnet", arguments, log, "dotnet-sdk-10.0")
        {
            IsTold = true,
            // Without counters for a second compilation, which would be more work beside the users.
            Environment = new Dictionary<string, string> { ["DOTNET_TieredPGO"] = "0" },
        });
    }

    /// <inheritdoc cref="ProcessFigures.CpuSeconds"/>
    public double CpuSeconds => ProcessFigures.CpuSeconds(_process.Id);

    /// <returns>When it is done: all have come and sent, or all have gone.</returns>
    /// <exception cref="IOException">They had ended: what was measured beside them was not.</exception>
    /// <exception cref="InvalidOperationException">They have ended instead of an answer, or do not answer.</exception>
    public async Task<SlowFigures> TellAsync(SlowOrder order)
    {
        await _process.TellAsync(order.ToString());
        _orders++;
        return SlowFigures.Parse(_orders, await _process.WaitForLineAsync(SlowFigures.Mark(_orders), AnswerLimit));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
