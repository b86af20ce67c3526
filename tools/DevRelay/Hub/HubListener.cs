using System.Net.Security;
using System.Net.Sockets;

namespace Piccolo.DevRelay.Hub;

/// <summary>Takes the backends' connections.</summary>
internal sealed class HubListener(SessionTable sessions, RelayOptions options, RelayFaults faults, ILogger logger)
{
    private readonly SslStreamCertificateContext? _certificate = options.HubCertificate is null
        ? null
        : SslStreamCertificateContext.Create(options.HubCertificate, options.HubChain, offline: true);

    private int _open;

    public async Task ServeAsync(Socket socket, CancellationToken stopping)
    {
        try
        {
            if (Interlocked.Increment(ref _open) > options.HubConnectionLimit) return;
            await new HubConnection(socket, _certificate, sessions, options, faults, logger).RunAsync(stopping);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
