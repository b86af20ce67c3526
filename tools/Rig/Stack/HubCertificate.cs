using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Rig.Stack;

/// <summary>A certificate for the relay's hub on this machine, its own root, made anew for each run.</summary>
internal sealed record HubCertificate(string CertificateFile, string KeyFile)
{
    public const string CertificateName = "relay-hub.pem";

    /// <summary>Nobody resolves it unless told to.</summary>
    public const string Name = "relay.chaos.test";

    public static HubCertificate Write(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Piccolo demo relay", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName(Name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddDays(30));
        var files = new HubCertificate(Path.Combine(folder, CertificateName), Path.Combine(folder, "relay-hub.key"));
        File.WriteAllText(files.CertificateFile, certificate.ExportCertificatePem());
        using (var stream = new FileStream(files.KeyFile, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        using (var writer = new StreamWriter(stream))
            writer.Write(key.ExportPkcs8PrivateKeyPem());
        return files;
    }
}
