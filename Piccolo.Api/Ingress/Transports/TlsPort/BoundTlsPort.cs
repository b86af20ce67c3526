using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Piccolo.Api.Ingress.Limits;

namespace Piccolo.Api.Ingress.Transports.TlsPort;

/// <summary>One bound address of our TLS port: the queue of connections for Kestrel, and its end. Thread-safe.</summary>
internal sealed class BoundTlsPort(EndPoint local)
{
    // Kestrel's accept loop resumes inside the write, on the loop's thread: all that it does there is to queue the connection to the thread pool.
    private readonly Channel<ConnectionContext> _accepted = Channel.CreateUnbounded<ConnectionContext>(
        new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = true });

    public EndPoint Local => local;

    /// <summary>As many as <see cref="ConnectionAdmission"/> lets in.</summary>
    public ChannelReader<ConnectionContext> Accepted => _accepted.Reader;

    /// <summary>Fires when nobody is accepted any more: hellos are not awaited longer, and what is passed through ends.</summary>
    public CancellationToken Stopping => Stop.Token;

    public bool IsStopping => Stop.IsCancellationRequested;

    // Not disposed: clients may ask at any time, and there is nothing in it to let go of.
    private CancellationTokenSource Stop { get; } = new();

    /// <returns>False after <see cref="Close"/>.</returns>
    public bool TryQueue(ConnectionContext connection) => _accepted.Writer.TryWrite(connection);

    public void Close()
    {
        _accepted.Writer.TryComplete();
        Stop.Cancel();
    }
}
