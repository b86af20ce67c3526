using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Ingress;

/// <summary>First on our own HTTP and HTTPS ports: says whence the connection came.</summary>
internal sealed class ConnectionOriginMiddleware(ConnectionDelegate next, OriginClassifier classifier, int publicPort)
{
    public Task OnConnectionAsync(ConnectionContext connection)
    {
        connection.Features.Set(classifier.Describe(connection.RemoteEndPoint, publicPort));
        return next(connection);
    }
}
