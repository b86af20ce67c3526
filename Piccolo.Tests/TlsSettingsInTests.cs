using System.Runtime.CompilerServices;
using Piccolo.Api.Ingress;

namespace Piccolo.Tests;

/// <summary>The front door is tested with the TLS settings that the daemon has.</summary>
internal static class TlsSettingsInTests
{
#pragma warning disable CA2255 // it is the assembly's first moment that is needed: OpenSSL reads its configuration once
    [ModuleInitializer]
#pragma warning restore CA2255
    public static void Apply() => TlsSettings.Apply();
}
