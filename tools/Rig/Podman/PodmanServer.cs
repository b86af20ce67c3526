using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Piccolo.Rig.Net;

namespace Piccolo.Rig.Podman;

/// <summary>
/// A private Podman with its REST socket, for the demo and for tests. Needs root. Disposing removes its containers, its mounts and its folder; what a
/// killed process left behind is removed at the next start.
/// </summary>
public sealed class PodmanServer : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CleanUpLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PingPause = TimeSpan.FromMilliseconds(25);

    /// <summary>The firewall's table, as a package installs it.</summary>
    public static string FirewallFile { get; } = Path.Combine(AppContext.BaseDirectory, "piccolo-apps.nft");

    private static readonly string[] Needed = ["podman", "conmon", "nft"];

    private readonly PodmanFolder _folder;
    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private PodmanServer(PodmanFolder folder, Process process)
    {
        (_folder, _process) = (folder, process);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What <c>Piccolo:Containers:Socket</c> is to be set to.</summary>
    public string SocketPath => _folder.Socket;

    public int ProcessId => _process.Id;

    internal PodmanFolder Folder => _folder;

    /// <summary>The last of what the service printed.</summary>
    public string Log
    {
        get
        {
            lock (_log) return _log.ToString();
        }
    }

    /// <param name="network">The network in which the engine and its containers live; null = this machine's own.</param>
    /// <exception cref="InvalidOperationException">What is missing, and how to install it.</exception>
    public static Task<PodmanServer> StartAsync(NetworkNamespace? network = null, CancellationToken cancellationToken = default) =>
        StartAsync(network, plainRegistry: null, cancellationToken);

    /// <param name="plainRegistry">A registry that is asked over HTTP without TLS, such as <c>127.0.0.1:5000</c>.</param>
    public static async Task<PodmanServer> StartAsync(NetworkNamespace? network, string? plainRegistry, CancellationToken cancellationToken = default)
    {
        RequireTools();
        await SweepAbandonedAsync(cancellationToken);
        // It stays when the server ends: another one may be running, and without apps it matches nothing.
        await (network is null
            ? Tool.RunAsync(Tool.Prepare("nft", ["-f", FirewallFile]), cancellationToken)
            : network.RunAsync("nft", ["-f", FirewallFile], cancellationToken));
        var folder = PodmanFolder.Create(network?.Name, plainRegistry);
        var start = folder.Command(["system", "service", "--time=0", "unix://" + folder.Socket]);
        var server = new PodmanServer(folder, Process.Start(start)!);
        folder.Remember(server._process);
        try
        {
            await server.UntilReadyAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an image of a root file system.</summary>
    /// <param name="changes">Dockerfile instructions such as <c>ENTRYPOINT ["/app"]</c>.</param>
    public Task ImportAsync(string tar, string name, IEnumerable<string> changes, CancellationToken cancellationToken = default) =>
        RunAsync(["import", "--quiet", .. changes.SelectMany(change => new[] { "--change", change }), tar, name], cancellationToken);

    /// <summary>Runs a podman command in this server's world.</summary>
    /// <returns>What it printed.</returns>
    public Task<string> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken = default) =>
        RunAsync(_folder, arguments, cancellationToken);

    /// <summary>Ends the service as a crash would; containers go on.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
        using var limit = new CancellationTokenSource(CleanUpLimit);
        await CleanUpAsync(_folder, limit.Token);
    }

    /// <summary>Removes the containers, mounts and folders of private Podmans whose process was killed, as well as it goes.</summary>
    /// <returns>The folders that are gone.</returns>
    public static async Task<IReadOnlyList<string>> SweepAbandonedAsync(CancellationToken cancellationToken = default)
    {
        var abandoned = PodmanFolder.Abandoned().ToList();
        foreach (var folder in abandoned) await SweepAsync(folder, cancellationToken);
        return [.. abandoned.Select(folder => folder.Root).Where(root => !Directory.Exists(root))];
    }

    private static void RequireTools()
    {
        List<string> missing = [.. Needed.Where(tool => Tool.Find(tool) is null)];
        // Either will do; runc where there are both (PodmanFolder).
        if (Tool.Find("runc") is null && Tool.Find("crun") is null) missing.Add("runc");
        if (missing.Count > 0)
            throw new InvalidOperationException($"Missing: {string.Join(", ", missing)}. Install them: apt-get install podman conmon runc netavark nftables");
        if (!Environment.IsPrivilegedProcess) throw new InvalidOperationException("The private Podman needs root. Run the command with sudo.");
    }

    private static Task<string> RunAsync(PodmanFolder folder, IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        Tool.RunAsync(folder.Command(arguments), cancellationToken);

    /// <summary>As well as it goes: another process may be sweeping the same folder.</summary>
    private static async Task SweepAsync(PodmanFolder abandoned, CancellationToken cancellationToken)
    {
        try
        {
            abandoned.EndLeftService();
            await CleanUpAsync(abandoned, cancellationToken);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"{abandoned.Root} of a killed process could not be removed: {e.Message}");
        }
    }

    private static async Task CleanUpAsync(PodmanFolder folder, CancellationToken cancellationToken)
    {
        if (File.Exists(folder.Environment["CONTAINERS_CONF"])) await RunAsync(folder, ["rm", "--all", "--force", "--time", "0"], cancellationToken);
        await folder.DeleteAsync(cancellationToken);
    }

    /// <summary>The socket answers as the engine's API.</summary>
    private async Task UntilReadyAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        while (!await AnswersAsync(limit.Token))
        {
            if (_process.HasExited) throw new InvalidOperationException($"podman ended with {_process.ExitCode}: {Log}");
            try
            {
                await Task.Delay(PingPause, TimeProvider.System, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new InvalidOperationException($"podman did not answer within {StartLimit.TotalSeconds} s: {Log}");
            }
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellationToken);
            await socket.SendAsync("GET /_ping HTTP/1.0\r\nHost: d\r\n\r\n"u8.ToArray(), cancellationToken);
            var answer = new byte[15];
            return await socket.ReceiveAsync(answer, cancellationToken) >= 12 && answer.AsSpan().StartsWith("HTTP/1.0 200"u8);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        const int maxLog = 64 * 1024;
        lock (_log)
        {
            if (line is not null) _log.AppendLine(line);
            if (_log.Length > maxLog) _log.Remove(0, _log.Length - maxLog);
        }
    }
}
