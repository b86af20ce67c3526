using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Network;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>
/// <c>./dev bench ingress</c>: the front door beside nginx, HAProxy and Caddy, who do the same work in turns before the same backend. What counts are
/// ratios to nginx within a round, and the CPU time of the contender's own process.
/// </summary>
public static class IngressBench
{
    private const int FewNames = 2;
    private const int ManyNames = 10_000;
    private const int BulkBytes = 64 * 1024 * 1024;

    /// <returns>0 when every bar holds, else 1; 2 for options that are not known.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        if (IngressBenchSettings.Parse(args) is not { } settings)
        {
            await Console.Error.WriteLineAsync(IngressBenchSettings.Usage);
            return 2;
        }
        var folder = Directory.CreateTempSubdirectory("piccolo-bench-");
        // nginx' workers give up root and must still read what they serve.
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        try
        {
            return await MeasureAsync(folder, settings);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<int> MeasureAsync(DirectoryInfo folder, IngressBenchSettings settings)
    {
        var report = new BenchReport("ingress", Console.Out);
        var (certificate, key) = await MakeCertificateAsync(folder.FullName);
        var content = await MakeContentAsync(folder);
        var all = new Contenders(folder.FullName, certificate, key);
        await using var app = await all.StartBackendAsync(content);
        var (plain, tls) = (app.Plain, app.Tls);
        var hello = await RawHello.ForAsync(BenchNames.PassedThrough);

        if (settings.Wants("idle")) await IdleMemory.MeasureAsync(report, all, plain, tls, hello, settings);

        await using var nginx = await all.StartNginxAsync(plain, tls);
        await using var haproxy = settings.NginxOnly ? null : await all.StartHaproxyAsync(plain, tls);
        await using var caddy = settings.NginxOnly ? null : await all.StartCaddyAsync(plain);
        await using var door = await all.StartDoorAsync(Rounds.Door, plain, tls, FewNames, IngressBenchSettings.AsPackaged);
        await using var tries = new Group();
        foreach (var other in settings.Tries) tries.Members.Add(await all.StartDoorAsync(other.Name, plain, tls, FewNames, other.Environment));
        Contender[] ending = [.. new[] { nginx, haproxy, caddy, door }.OfType<Contender>(), .. tries.Members];
        Contender[] passing = [.. ending.Where(c => c.PassThroughPort is not null)];
        var seconds = settings.Seconds;
        var rounds = new Rounds(report, settings);

        await rounds.CompareAsync("pass_keepalive", "requests", passing, c => Load.Http1Async(c.PassThroughPort!.Value, BenchNames.PassedThrough, seconds), 0.95, 1.0);
        await rounds.CompareAsync("pass_new", "connections", passing, c => RawClients.ConnectAsync(c.PassThroughPort!.Value, hello, seconds), 0.85, 0.95);
        await rounds.CompareAsync("pass_bulk", "MiB", passing, c => Load.BulkAsync(c.PassThroughPort!.Value, BenchNames.PassedThrough, seconds), 1.0, 1.1);
        await rounds.CompareAsync("h1", "requests", ending, c => Load.Http1Async(c.TerminatedPort, BenchNames.Terminated, seconds), 0.72, 0.9);
        await rounds.CompareAsync("h2", "requests", ending, c => Load.Http2Async(c.TerminatedPort, BenchNames.Terminated, seconds), 0.85, 1.0);
        await rounds.CompareAsync("bulk", "MiB", ending, c => Load.BulkAsync(c.TerminatedPort, BenchNames.Terminated, seconds), 0.85, 1.0);
        await rounds.CompareAsync("full_handshakes", "connections", ending, c => Load.HandshakesAsync(c.TerminatedPort, false, seconds), 0.85, 1.0);
        await rounds.CompareAsync("resumed_handshakes", "connections", ending, c => Load.HandshakesAsync(c.TerminatedPort, true, seconds), 0.8, 1.0);
        if (settings.Wants("names"))
        {
            await using var many = await all.StartDoorAsync("door10k", plain, tls, ManyNames, IngressBenchSettings.AsPackaged);
            NameLookUp.Measure(report, FewNames, ManyNames);
            await rounds.CompareSelfAsync("names_handshakes", door, many, c => RawClients.ConnectAsync(c.PassThroughPort!.Value, hello, seconds), 0.98);
        }
        if (settings.Wants("slow")) await Slowloris.MeasureAsync(report, door, app, hello, folder.FullName, settings);
        if (settings.Write) await report.WriteAsync(How(settings));
        return report.IsShort ? 1 : 0;
    }

    private static string How(IngressBenchSettings settings) => string.Create(CultureInfo.InvariantCulture,
        $"`./dev bench ingress`: {settings.Rounds} rounds, in each of which nginx, HAProxy, Caddy and the front door do the same work for {settings.Seconds} s each, in turns, before the same nginx as the app; medians. Load generators, app and contender share the machine, {Network()}. `ratio` is to nginx in the same round; `cpu` is user and system time of the contender's own process per unit. TLS 1.3, one P-256 certificate, connections kept without a limit, no access log, two workers or threads. The front door is a process with the appliance's connection pipeline and limits, its route table filled by the benchmark; it has accepts deferred to a client's first bytes, which the others are not asked to do. `names_handshakes_ratio` is connections per second of the front door's own CPU, of one with 10,000 names to one with 2, both under the same load in the same seconds. Slow clients: {Slowloris.Clients} that send a byte a second of a ClientHello and come back after {SlowHellos.LongestVisit} s, about {Slowloris.Clients / SlowHellos.LongestVisit} of them each second. `slow_…_ratio` is the rate of users who stay while they come and go, a second with them beside the two without them around it; medians of {Slowloris.Cycles(settings)}, with their standard error. They live on this machine too, as a process of their own: `slow_byte_…_cpu` is CPU per byte of theirs, visits included, while nothing else runs.\n\n");

    /// <summary>A packet filter costs all of them the same, and so makes them more alike.</summary>
    private static string Network() => HostInterfaces.TryRead(out var interfaces, out _) && interfaces.All(i => i.IsLoopback)
        ? "in a network of their own without a packet filter"
        : "in its own network, packet filter and all";

    private static async Task<(string Certificate, string Key)> MakeCertificateAsync(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bench", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(BenchNames.Terminated);
        names.AddDnsName(BenchNames.PassedThrough);
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(7));
        var (certificateFile, keyFile) = (Path.Combine(folder, "bench.crt"), Path.Combine(folder, "bench.key"));
        await File.WriteAllTextAsync(certificateFile, certificate.ExportCertificatePem() + "\n");
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem() + "\n");
        return (certificateFile, keyFile);
    }

    private static async Task<string> MakeContentAsync(DirectoryInfo folder)
    {
        var content = folder.CreateSubdirectory("content");
        await File.WriteAllBytesAsync(Path.Combine(content.CreateSubdirectory("bulk").FullName, "file"), RandomNumberGenerator.GetBytes(BulkBytes));
        return content.FullName;
    }

    private sealed class Group : IAsyncDisposable
    {
        public List<Contender> Members { get; } = [];

        public async ValueTask DisposeAsync()
        {
            foreach (var member in Members) await member.DisposeAsync();
        }
    }
}
