using Microsoft.AspNetCore.Http.Features;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Auth;

namespace Piccolo.Api.Security;

internal static class GuessSources
{
    /// <summary>To whom an attempt at the password is counted: the client's address (for limits, never for trust) within its class of origin.</summary>
    public static GuessSource GuessSource(this HttpContext context)
    {
        var connection = context.Features.GetRequiredFeature<IConnectionOriginFeature>();
        return Piccolo.Core.Auth.GuessSource.Of(connection.Origin.ToString(), connection.Origin.IsLocal(), connection.ClientEndPoint?.Address);
    }
}
