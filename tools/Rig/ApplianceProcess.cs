using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Piccolo.Rig;

/// <summary>An appliance as a process of its own: started with settings on top of Development's defaults, ended in good order or killed.</summary>
public sealed class ApplianceProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(12);

    // Held until we end: an appliance keeps the ports of its listeners in its state, over every start.
    private static readonly ConcurrentDictionary<string, PortLease> Ports = new(StringComparer.Ordinal);

    private readonly ChildProcess _process;

    private ApplianceProcess(ChildProcess process, Uri address)
    {
        _process = process;
        Api = new ApplianceClient(address);
    }

    public ApplianceClient Api { get; }

    public int Id => _process.Id;

    public string LogFile => _process.LogFile;

    /// <param name="settings">Keys such as <c>Piccolo:Acme:DirectoryUrl</c>.</param>
    /// <param name="names">A host table of its own.</param>
    public static async Task<ApplianceProcess> StartAsync(string stateDirectory, string logFile, int httpPort, IReadOnlyDictionary<string, string> settings,
        PrivateNames? names = null)
    {
        var ports = Ports.GetOrAdd(stateDirectory, _ => PortLease.Take());
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["Piccolo__StateDirectory"] = stateDirectory,
            ["Piccolo__Ingress__HttpPort"] = $"{httpPort}",
            ["Piccolo__Ingress__HttpsPort"] = "0",
            ["Piccolo__Ingress__GuardPorts"] = ports.GuardPorts,
            ["Piccolo__Ingress__PublicPorts"] = ports.PublicPorts,
            // The cheapest that is allowed: what is shown here is not the cost of a guess.
            ["Piccolo__Vault__Kdf__MemoryMiB"] = "64",
            ["Piccolo__Vault__Kdf__Iterations"] = "2",
        };
        foreach (var (key, value) in settings) environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        var dll = SolutionBuild.Find("Piccolo.Api");
        var (program, arguments) = names?.Wrap("dotnet", dll) ?? ("dotnet", [dll]);
        var process = ChildProcess.Start(new ChildProcessStart(program, arguments, logFile, "dotnet-sdk-10.0") { Environment = environment });
        try
        {
            await process.WaitForPortAsync(httpPort, StartLimit);
            return new ApplianceProcess(process, new Uri($"http://127.0.0.1:{httpPort}"));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Tells what the process runs now from what it ran before: the kernel puts each image at addresses of its own.</summary>
    public string Image => Convert.ToHexStringLower(File.ReadAllBytes($"/proc/{Id}/auxv"));

    /// <summary>Locks, and waits until the process has started afresh and answers.</summary>
    /// <returns>The lock's answer, and how long after it the API answered again.</returns>
    public async Task<(JsonNode Answer, TimeSpan Silence)> LockAsync()
    {
        var image = Image;
        var answer = await Api.PostAsync("/api/v1/crypto/lock");
        return (answer, await RestartedAsync(image, TimeProvider.System.GetTimestamp()));
    }

    /// <param name="image">What ran before.</param>
    /// <param name="since">A timestamp.</param>
    /// <returns>How long after it the API of another image answered.</returns>
    public async Task<TimeSpan> RestartedAsync(string image, long since)
    {
        // A bearer token would be in the memory of the new image.
        using var stranger = new ApplianceClient(Api.BaseAddress);
        while (true)
        {
            var waited = TimeProvider.System.GetElapsedTime(since);
            if (waited > StartLimit)
                throw new InvalidOperationException($"The appliance did not answer within {StartLimit.TotalSeconds:0} s of the lock. Its log is {LogFile}.");
            try
            {
                if (Image != image)
                {
                    await stranger.GetAsync("/api/v1/health/live");
                    return TimeProvider.System.GetElapsedTime(since);
                }
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    /// <summary>As a power cut would: SIGKILL, no goodbye.</summary>
    public async Task KillAsync()
    {
        Api.Dispose();
        await _process.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _process.StopAsync(StopLimit);
        await _process.DisposeAsync();
    }
}
