using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Piccolo.Api.Ingress;

/// <summary>Makes Kestrel's connections out of sockets that we accepted ourselves, with the server's own settings and its wiping memory. Thread-safe.</summary>
internal sealed class SocketConnections(IOptions<SocketTransportOptions> options, ILogger<SocketConnections> logger) : IDisposable
{
    private readonly SocketConnectionContextFactory _factory = new(CopyOf(options.Value), logger);

    public ConnectionContext Create(Socket socket) => _factory.Create(socket);

    public void Dispose() => _factory.Dispose();

    /// <summary>The one way to take over all settings, the memory pool among them, which has no public name. A runtime without it fails at the start.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern SocketConnectionFactoryOptions CopyOf(SocketTransportOptions options);
}
