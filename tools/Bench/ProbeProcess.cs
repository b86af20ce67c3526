using System.Globalization;
using Piccolo.Rig;

namespace Piccolo.Bench;

/// <summary>The benchmark's side of <see cref="ReadyProbe"/>.</summary>
internal sealed class ProbeProcess : IAsyncDisposable
{
    private const int EveryMilliseconds = 10;
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly ChildProcess _process;
    private readonly string _file;

    private ProbeProcess(ChildProcess process, string file) => (_process, _file) = (process, file);

    public static ProbeProcess Start(string folder, int port)
    {
        var file = Path.Combine(folder, "probe.samples");
        var arguments = new[]
        {
            SolutionBuild.Find("Bench"),
            ReadyProbe.Command,
            port.ToString(CultureInfo.InvariantCulture),
            EveryMilliseconds.ToString(CultureInfo.InvariantCulture),
            file,
        };
        return new ProbeProcess(ChildProcess.Start(new ChildProcessStart("dotnet", arguments, Path.Combine(folder, "probe.log"), "dotnet-sdk-10.0")), file);
    }

    /// <returns>Everything that was measured, in its order.</returns>
    public async Task<IReadOnlyList<ReadyProbe.Sample>> EndAsync()
    {
        if (_process.Exited.IsCompleted) throw new InvalidOperationException($"Readiness stopped answering: {await File.ReadAllTextAsync(_process.LogFile)}");
        if (!await _process.StopAsync(StopLimit)) throw new InvalidOperationException("The probe does not end.");
        return [.. (await File.ReadAllLinesAsync(_file)).Select(line => line.Split(' ')).Select(parts => new ReadyProbe.Sample(
            long.Parse(parts[0], CultureInfo.InvariantCulture), double.Parse(parts[1], CultureInfo.InvariantCulture)))];
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
