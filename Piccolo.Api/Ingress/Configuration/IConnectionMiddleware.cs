using Microsoft.AspNetCore.Connections;

namespace Piccolo.Api.Ingress.Configuration;

/// <summary>A step that sees a connection before any HTTP: one instance per endpoint, made with the next step as its first argument.</summary>
internal interface IConnectionMiddleware
{
    Task OnConnectionAsync(ConnectionContext connection);
}
