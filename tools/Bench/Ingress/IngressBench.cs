using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Core.Network;

namespace Piccolo.Bench.Ingress;

/// <summary>
/// <c>./dev bench ingress</c>: the front door beside nginx, which do the same work in turns before the same apps. What counts are ratios to nginx within a
/// round, and the CPU time of the contender's own process.
/// </summary>
public static class IngressBench
{
    public const int FewNames = 3;
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
        var small = await MakeBodyAsync(folder, "post_1k", 1024);
        var large = await MakeBodyAsync(folder, "upload", Load.UploadMegabytes * Load.Megabyte);
        var all = new Contenders(folder.FullName, certificate, key);
        await using var app = await all.StartBackendAsync(content);
        var hello = await RawHello.ForAsync(BenchNames.PassedThrough);

        if (settings.Wants("idle")) await IdleMemory.MeasureAsync(report, all, app, hello, settings);

        await using var nginx = await all.StartNginxAsync(app);
        await using var door = await all.StartDoorAsync(Rounds.Door, app, FewNames, IngressBenchSettings.AsPackaged);
        await using var tries = new Group();
        foreach (var other in settings.Tries) tries.Members.Add(await all.StartDoorAsync(other.Name, app, FewNames, other.Environment));
        var seconds = settings.Seconds;
        var rounds = new Rounds(report, settings, [nginx, door, .. tries.Members]);

        await rounds.CompareAsync("pass_keepalive", "requests", c => Load.Http1Async(c.PassThroughPort, BenchNames.PassedThrough, seconds), 0.95);
        await rounds.CompareAsync("pass_new", "connections", c => RawClients.ConnectAsync(c.PassThroughPort, hello, seconds), 0.92);
        await rounds.CompareAsync("pass_bulk", "MiB", c => Load.BulkAsync(c.PassThroughPort, BenchNames.PassedThrough, seconds), 0.95);
        await rounds.CompareAsync("h1", "requests", c => Load.Http1Async(c.TerminatedPort, BenchNames.Terminated, seconds), 0.78);
        await rounds.CompareAsync("h2", "requests", c => Load.Http2Async(c.TerminatedPort, BenchNames.Terminated, seconds), 0.9);
        await rounds.CompareAsync("post_1k", "requests", c => Load.Http1Async(c.TerminatedPort, BenchNames.Bodies, seconds, small), 0.7);
        await rounds.CompareAsync("bulk", "MiB", c => Load.BulkAsync(c.TerminatedPort, BenchNames.Terminated, seconds), 1.0);
        await rounds.CompareAsync("upload", "MB", c => Load.UploadAsync(c.TerminatedPort, BenchNames.Bodies, seconds, large), 0.9);
        await rounds.CompareAsync("full_handshakes", "connections", c => Load.HandshakesAsync(c.TerminatedPort, false, seconds), 0.85);
        await rounds.CompareAsync("resumed_handshakes", "connections", c => Load.HandshakesAsync(c.TerminatedPort, true, seconds), 1.0);
        if (settings.Wants("names"))
        {
            await using var many = await all.StartDoorAsync("door10k", app, ManyNames, IngressBenchSettings.AsPackaged);
            await rounds.CompareSelfAsync("names_handshakes", door, many, c => RawClients.ConnectAsync(c.PassThroughPort, hello, seconds), 0.98);
        }
        if (settings.Wants("slow")) await Slowloris.MeasureAsync(report, door, app, hello, folder.FullName, settings);
        if (settings.Write) await report.WriteAsync(How(settings));
        return report.IsShort ? 1 : 0;
    }

    private static string How(IngressBenchSettings settings) => string.Create(CultureInfo.InvariantCulture,
        $"`./dev bench ingress`: {settings.Rounds} rounds, in each of which nginx and the front door do the same work for {settings.Seconds} s each, "
        + $"in turns, {Network()}. What is measured, and how, is below the table.");

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
        names.AddDnsName(BenchNames.Bodies);
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

    private static async Task<string> MakeBodyAsync(DirectoryInfo folder, string name, int bytes)
    {
        var file = Path.Combine(folder.FullName, name);
        await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(bytes));
        return file;
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
