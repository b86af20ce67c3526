using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piccolo.Api.Ingress.Diagnostics;
using Piccolo.Api.Ingress.Origin;
using Piccolo.Core.Certificates.Serving;
using Piccolo.Core.Health;
using Piccolo.Core.Listeners;
using Piccolo.Core.Network;
using Piccolo.Core.Primitives;

namespace Piccolo.Api.Ingress.Tls;

/// <summary>
/// The certificate under which the device answers on its own network before it has any name in the world: self-signed, its key outside the vault, so that
/// the password that unlocks need not cross the LAN in clear. Never used for the tunnel. Thread-safe.
/// </summary>
internal sealed class DeviceCertificate(StatePaths paths, HostAllowList hosts, ClockFloor clock, TimeProvider time, ILogger<DeviceCertificate> logger)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _file = Path.Combine(paths.Device, "certificate.pem");
    private ServerCertificateBundle? _bundle;

    /// <summary>Null until <see cref="Refresh"/> has succeeded once.</summary>
    public X509Certificate2? Current => Volatile.Read(ref _bundle)?.Leaf;

    /// <summary>SHA-256 of the certificate as browsers show it: pairs of hexadecimal digits with colons.</summary>
    public static string FingerprintOf(X509Certificate2 certificate) =>
        string.Join(':', certificate.GetCertHash(HashAlgorithmName.SHA256).Select(b => b.ToString("X2", null)));

    /// <summary>The certificate for a handshake that names no public name of ours; null when it is not for the device to answer.</summary>
    public ServerCertificateBundle? AnswerTo(string? serverName, IConnectionOriginFeature origin) =>
        origin.PublicPort == ListenerDefinition.HttpsPort
        && origin.Origin is ConnectionOrigin.Loopback or ConnectionOrigin.Lan or ConnectionOrigin.Forwarded
        && (serverName is null || System.Net.IPAddress.TryParse(serverName, out _) || hosts.Contains(HostAllowList.Normalise(serverName)))
            ? Volatile.Read(ref _bundle)
            : null;

    /// <summary>Takes what lies on the disk into use, or makes a new one where nothing usable does, or where it ends soon.</summary>
    /// <exception cref="IOException">It cannot be written; what is in use stays so.</exception>
    public void Refresh()
    {
        // A clock that was reset must not make a certificate of 1970.
        var now = time.GetUtcNow() is var said && said > clock.Floor ? said : clock.Floor;
        var held = Current ?? Read();
        var reason = held is null ? "there was none that can be used" : SelfSigned.WhyReplace(held, now);
        if (reason is not null)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            held = SelfSigned.Create(key, Environment.MachineName, now);
            Write(held, key);
            logger.DeviceCertificateMade(reason);
        }
        if (ReferenceEquals(held, Current)) return;
        Volatile.Write(ref _bundle, new ServerCertificateBundle(held!, [], []));
        logger.DeviceCertificateInUse(FingerprintOf(held!), new DateTimeOffset(held!.NotAfter.ToUniversalTime()));
    }

    private X509Certificate2? Read()
    {
        AtomicFile.DeleteLeftovers(_file);
        try
        {
            using var reader = new StreamReader(StateFile.OpenRead(_file));
            var pem = reader.ReadToEnd();
            return X509Certificate2.CreateFromPem(pem, pem);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Certificate and key in one file, so that they always fit together.</summary>
    private void Write(X509Certificate2 certificate, ECDsa key)
    {
        Directory.CreateDirectory(paths.Device, OwnerOnly);
        AtomicFile.Write(_file, System.Text.Encoding.ASCII.GetBytes($"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n"));
    }
}
