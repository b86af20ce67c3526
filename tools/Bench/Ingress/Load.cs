using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Piccolo.Rig.Podman;

namespace Piccolo.Bench.Ingress;

/// <summary>What one load did.</summary>
/// <param name="Units">Requests, connections, MiB or MB.</param>
internal readonly record struct LoadResult(double Units, double Seconds)
{
    public double Rate => Units / Seconds;
}

/// <summary>The load generators: h2load for requests and bulk, openssl s_time for handshakes. Each is killed when it outlives its time.</summary>
internal static partial class Load
{
    public const int UploadMegabytes = 100;
    public const int Megabyte = 1_000_000;

    private const double MiB = 1024 * 1024;
    private const int UploadsPerSecond = 4;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    /// <param name="body">Sent with each request, which is then a POST.</param>
    public static Task<LoadResult> Http1Async(int port, string name, int seconds, string? body = null) =>
        RequestsAsync(port, name, seconds, ["--h1", "-c", "64", .. body is null ? (string[])[] : ["-d", body]]);

    public static Task<LoadResult> Http2Async(int port, string name, int seconds) => RequestsAsync(port, name, seconds, ["-c", "16", "-m", "16"]);

    public static async Task<LoadResult> BulkAsync(int port, string name, int seconds)
    {
        var (text, took) = await RunAsync("h2load", ["--h1", "-c", "4", "-D", Text(seconds), "--connect-to", $"127.0.0.1:{port}", $"https://{name}/bulk/file"],
            seconds);
        return new LoadResult(Number(Traffic(), text) / MiB, took);
    }

    /// <summary>Whole bodies only, so many that they take about the time of the other loads. Four at once, each on a connection of its own.</summary>
    public static async Task<LoadResult> UploadAsync(int port, string name, int seconds, string body)
    {
        var count = UploadsPerSecond * seconds;
        var (text, took) = await RunAsync("h2load", ["--h1", "-c", "4", "-n", Text(count), "-d", body, "--connect-to", $"127.0.0.1:{port}", $"https://{name}/"],
            seconds);
        if (Number(Succeeded(), text) != count) throw new InvalidOperationException($"Port {port} took not all {count} bodies.\n{text}");
        return new LoadResult(count * UploadMegabytes, took);
    }

    /// <summary>Handshakes without a server name, which everyone answers with a default certificate: s_time sends none.</summary>
    /// <param name="resumed">Whether a ticket of the first connection is used; a connection that was not resumed counts as a failure of all.</param>
    public static async Task<LoadResult> HandshakesAsync(int port, bool resumed, int seconds)
    {
        string[] arguments = ["s_time", "-connect", $"127.0.0.1:{port}", resumed ? "-reuse" : "-new", "-tls1_3", "-time", Text(seconds),
            .. resumed ? (string[])["-www", "/"] : []];
        var began = Stopwatch.GetTimestamp();
        var runs = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => RunAsync("openssl", arguments, seconds)));
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        if (runs.Any(r => resumed && r.Text.Contains('*', StringComparison.Ordinal)))
            throw new InvalidOperationException($"Port {port} did not resume its sessions.");
        return new LoadResult(runs.Sum(r => Number(Connections(), r.Text)), took);
    }

    private static async Task<LoadResult> RequestsAsync(int port, string name, int seconds, string[] shape)
    {
        var (text, took) = await RunAsync("h2load", [.. shape, "-D", Text(seconds), "--connect-to", $"127.0.0.1:{port}", $"https://{name}/"], seconds);
        var (succeeded, failed) = (Number(Succeeded(), text), Number(Failed(), text));
        if (succeeded == 0 || failed > 0) throw new InvalidOperationException($"Port {port}: {succeeded} requests succeeded, {failed} failed.\n{text}");
        return new LoadResult(succeeded, took);
    }

    private static async Task<(string Text, double Seconds)> RunAsync(string tool, IEnumerable<string> arguments, int seconds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds) + Grace, TimeProvider.System);
        var began = Stopwatch.GetTimestamp();
        var text = await Tool.RunAsync(Tool.Prepare(tool, arguments), limit.Token);
        return (text, Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    private static double Number(Regex pattern, string text)
    {
        var match = pattern.Match(text);
        return match.Success ? double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"The load generator said nothing that is known here:\n{text}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(\d+) succeeded")]
    private static partial Regex Succeeded();

    [GeneratedRegex(@"(\d+) failed")]
    private static partial Regex Failed();

    [GeneratedRegex(@"traffic: \S+ \((\d+)\) total")]
    private static partial Regex Traffic();

    [GeneratedRegex(@"(\d+) connections in \d+ real seconds")]
    private static partial Regex Connections();
}
