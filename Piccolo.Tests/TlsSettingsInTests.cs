using System.Runtime.CompilerServices;
using Piccolo.Api.Ingress.Tls;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Tests;

/// <summary>The front door is tested with the TLS settings that the daemon has, and with event loops on which nothing may block.</summary>
internal static class TlsSettingsInTests
{
#pragma warning disable CA2255 // it is the assembly's first moment that is needed: OpenSSL reads its configuration once
    [ModuleInitializer]
#pragma warning restore CA2255
    public static void Apply()
    {
        TlsSettings.Apply();
        LoopThread.IsGuarded = true;
    }
}
