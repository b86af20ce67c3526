using System.Globalization;
using Piccolo.Rig;

namespace Piccolo.Bench.Ingress;

/// <summary>One of those who do the same work: where it ends TLS, where it passes it through, and the process whose cost counts.</summary>
internal sealed record Contender(string Name, int TerminatedPort, int PassThroughPort, ChildProcess Process) : IAsyncDisposable
{
    /// <summary>Ours, whose hot code gets its last form only under load.</summary>
    public bool IsCompiledAsItRuns => Name.StartsWith("door", StringComparison.Ordinal);

    public ValueTask DisposeAsync() => Process.DisposeAsync();
}

/// <summary>Starts the backend and everyone who stands in front of it, each in its own folder with an empty log.</summary>
internal sealed class Contenders(string folder, string certificate, string key)
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private int _started;

    public async Task<Backend> StartBackendAsync(string content)
    {
        var ports = LoopbackPorts.Free(4);
        var nginx = await StartNginxAsync(ContenderSettings.Backend(ports[0], ports[1], ports[2], certificate, key, content), ports[1]);
        try
        {
            var own = NewFolder("sink");
            // Without counters for a second compilation, which would be more work beside the contenders.
            var sink = await StartOwnAsync([SolutionBuild.Find("Bench"), BodySink.Command, Text(ports[3])], own, ports[3],
                new Dictionary<string, string> { ["DOTNET_TieredPGO"] = "0" });
            return new Backend(nginx, sink, ports[0], ports[1], ports[2], ports[3]);
        }
        catch
        {
            await nginx.DisposeAsync();
            throw;
        }
    }

    public async Task<Contender> StartNginxAsync(Backend app)
    {
        var ports = LoopbackPorts.Free(2);
        var process = await StartNginxAsync(ContenderSettings.Nginx(ports[0], ports[1], certificate, key, app), ports[1]);
        return new Contender("nginx", ports[0], ports[1], process);
    }

    /// <param name="names">How many host names its table has.</param>
    public async Task<Contender> StartDoorAsync(string name, Backend app, int names, IReadOnlyDictionary<string, string> environment)
    {
        var port = LoopbackPorts.Free(1)[0];
        var own = NewFolder("door");
        // With the appliance's own runtime settings, which are not those of this program.
        var (appliance, host) = (SolutionBuild.Find("Piccolo.Api"), SolutionBuild.Find("Bench"));
        string[] arguments =
        [
            "--runtimeconfig", Path.ChangeExtension(appliance, "runtimeconfig.json"), "--depsfile", Path.ChangeExtension(host, "deps.json"), host,
            DoorHost.Command, Text(port), Text(app.Plain), Text(app.Tls), Text(app.Bodies), certificate, key, own, Text(names),
        ];
        return new Contender(name, port, port, await StartOwnAsync(arguments, own, port, environment));
    }

    private static async Task<ChildProcess> StartOwnAsync(string[] arguments, string own, int port, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ChildProcessStart("dotnet", ["exec", .. arguments], Path.Combine(own, "output.log"), "dotnet-sdk-10.0")
        {
            Environment = environment,
            WorkingDirectory = own,
        };
        return await ListeningAsync(ChildProcess.Start(start), port);
    }

    private async Task<ChildProcess> StartNginxAsync(string settings, int port)
    {
        var own = NewFolder("nginx");
        await File.WriteAllTextAsync(Path.Combine(own, "nginx.conf"), settings.Replace("@folder@", own, StringComparison.Ordinal));
        string[] arguments = ["-p", own, "-c", "nginx.conf"];
        var start = new ChildProcessStart("nginx", arguments, Path.Combine(own, "output.log"), "libnginx-mod-stream") { WorkingDirectory = own };
        return await ListeningAsync(ChildProcess.Start(start), port);
    }

    private static async Task<ChildProcess> ListeningAsync(ChildProcess process, int port)
    {
        try
        {
            await process.WaitForPortAsync(port, StartLimit);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    private string NewFolder(string name) =>
        Directory.CreateDirectory(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}-{++_started}"))).FullName;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
