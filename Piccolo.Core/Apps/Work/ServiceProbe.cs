using System.Globalization;
using System.Net.Sockets;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Plans;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Work;

/// <summary>
/// Asks a service whether it works: by HTTP or TCP at its port, or by a command in its container. Our own, because the engine's own health checks need
/// systemd. Thread-safe; owns its client.
/// </summary>
internal sealed class ServiceProbe(IContainerRuntime runtime, TimeProvider time) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = 64 * 1024,
    };

    /// <summary>The check of a service: the manifest's, else what its image declares, else a connection where another service waits for its health.</summary>
    /// <returns>Null where there is nothing to ask: it counts as healthy while it runs.</returns>
    /// <param name="image">What the service's image says of itself, or why that is not known.</param>
    public static ContainerResult<HealthCheckDefinition?> CheckOf(AppPlan plan, ServicePlan service, ContainerResult<ImageFacts> image)
    {
        var declared = service.Manifest.HealthCheck;
        if (declared is { Http: not null } or { TcpPort: not null } or { Command.IsEmpty: false }) return declared;
        if (image.Fault is { } fault) return fault;
        var times = declared ?? new HealthCheckDefinition();
        if (!image.Value!.HealthCommand.IsEmpty) return times with { Command = image.Value.HealthCommand };
        return plan.IsAwaited(service.Name) && service.Spec.Ports.FirstOrDefault() is { } port
            ? times with { TcpPort = port.GuestPort }
            : new ContainerResult<HealthCheckDefinition?>(null, null);
    }

    /// <returns>Null when it is healthy, else why not.</returns>
    public async Task<string?> RunAsync(HealthCheckDefinition check, ContainerSpec spec, ObservedContainer container, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(check.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            if (check.Http is { } http) return await GetAsync(EndPointOf(http.Port, spec, container), http.Path, either.Token);
            if (check.TcpPort is { } port) return await ConnectAsync(EndPointOf(port, spec, container), either.Token);
            var code = await runtime.ExecAsync(container.Id, check.Command, check.Timeout, cancellationToken);
            return code.Fault is { } fault ? fault.Sentence : code.Value == 0 ? null : string.Create(
                CultureInfo.InvariantCulture, $"Its health command exited with code {code.Value}.");
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"It did not answer its health check within {check.Timeout.TotalSeconds:0.#} s.");
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException)
        {
            return "It does not accept connections at the port of its health check.";
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<string?> GetAsync((string Host, int Port)? at, string path, CancellationToken cancellationToken)
    {
        if (at is not var (host, port)) return NoAddress;
        using var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder("http", host, port).Uri.ToString().TrimEnd('/') + path);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return (int)response.StatusCode < 400 ? null : string.Create(
            CultureInfo.InvariantCulture, $"It answered its health check with status {(int)response.StatusCode}.");
    }

    private static async Task<string?> ConnectAsync((string Host, int Port)? at, CancellationToken cancellationToken)
    {
        if (at is not var (host, port)) return NoAddress;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host, port, cancellationToken);
        return null;
    }

    private const string NoAddress = "The engine does not say at which address it is.";

    /// <summary>Its address on the app's network; without one, the port at which it is published.</summary>
    private static (string Host, int Port)? EndPointOf(int port, ContainerSpec spec, ObservedContainer container) =>
        container.Address is { } address ? (address, port)
        : spec.Ports.FirstOrDefault(p => p.GuestPort == port) is { } published ? ("127.0.0.1", published.GuardPort)
        : null;
}
