using System.Globalization;

namespace Piccolo.DevStack.Bench.Ingress;

/// <summary>One of those who do the same work: where it ends TLS, where it passes it through (null: it cannot), and the process whose cost counts.</summary>
internal sealed record Contender(string Name, int TerminatedPort, int? PassThroughPort, ChildProcess Process) : IAsyncDisposable
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
        var ports = LoopbackPorts.Free(3);
        var process = await StartAsync("nginx", ["-c", "nginx.conf"], ContenderSettings.Backend(ports[0], ports[1], ports[2], certificate, key, content), "nginx.conf", ports[1], "nginx");
        return new Backend(process, ports[0], ports[1], ports[2]);
    }

    public async Task<Contender> StartNginxAsync(int plain, int tls)
    {
        var ports = LoopbackPorts.Free(2);
        var process = await StartAsync("nginx", ["-c", "nginx.conf"], ContenderSettings.Nginx(ports[0], ports[1], certificate, key, plain, tls), "nginx.conf", ports[1], "libnginx-mod-stream");
        return new Contender("nginx", ports[0], ports[1], process);
    }

    public async Task<Contender> StartHaproxyAsync(int plain, int tls)
    {
        var ports = LoopbackPorts.Free(2);
        var both = Path.Combine(folder, "haproxy.pem");
        await File.WriteAllTextAsync(both, await File.ReadAllTextAsync(certificate) + await File.ReadAllTextAsync(key));
        var process = await StartAsync("haproxy", ["-f", "haproxy.cfg", "-db"], ContenderSettings.Haproxy(ports[0], ports[1], both, plain, tls), "haproxy.cfg", ports[1], "haproxy");
        return new Contender("haproxy", ports[0], ports[1], process);
    }

    public async Task<Contender> StartCaddyAsync(int plain)
    {
        var port = LoopbackPorts.Free(1)[0];
        var process = await StartAsync("caddy", ["run", "--config", "Caddyfile", "--adapter", "caddyfile"], ContenderSettings.Caddy(port, certificate, key, plain), "Caddyfile", port, "caddy");
        return new Contender("caddy", port, null, process);
    }

    /// <param name="names">How many host names its table has.</param>
    public async Task<Contender> StartDoorAsync(string name, int plain, int tls, int names, IReadOnlyDictionary<string, string> environment)
    {
        var port = LoopbackPorts.Free(1)[0];
        var own = NewFolder("door");
        // With the appliance's own runtime settings, which are not those of this program.
        var (appliance, host) = (SolutionBuild.Find("Piccolo.Api"), SolutionBuild.Find("DevStack"));
        string[] arguments = ["exec", "--runtimeconfig", Path.ChangeExtension(appliance, "runtimeconfig.json"), "--depsfile", Path.ChangeExtension(host, "deps.json"), host, DoorHost.Command, Text(port), Text(plain), Text(tls), certificate, key, own, Text(names)];
        var process = ChildProcess.Start(new ChildProcessStart("dotnet", arguments, Path.Combine(own, "door.log"), "dotnet-sdk-10.0") { Environment = environment, WorkingDirectory = own });
        await WaitAsync(process, port);
        return new Contender(name, port, port, process);
    }

    private async Task<ChildProcess> StartAsync(string program, string[] arguments, string settings, string settingsName, int port, string package)
    {
        var own = NewFolder(program);
        await File.WriteAllTextAsync(Path.Combine(own, settingsName), settings.Replace("@folder@", own, StringComparison.Ordinal));
        if (program == "nginx") arguments = ["-p", own, .. arguments];
        var start = new ChildProcessStart(program, arguments, Path.Combine(own, "output.log"), package) { WorkingDirectory = own, Environment = new Dictionary<string, string> { ["HOME"] = own } };
        var process = ChildProcess.Start(start);
        await WaitAsync(process, port);
        return process;
    }

    private static async Task WaitAsync(ChildProcess process, int port)
    {
        try
        {
            await process.WaitForPortAsync(port, StartLimit);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    private string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}-{++_started}"))).FullName;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
