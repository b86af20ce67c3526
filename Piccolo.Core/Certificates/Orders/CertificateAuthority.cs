using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Acme.Wire;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>One CA: the line to it and our account there. Owns both.</summary>
internal sealed class CertificateAuthority : IDisposable
{
    public CertificateAuthority(CaOptions options, ICertificateStore store, TimeProvider time, ILoggerFactory loggers)
    {
        Channel = new AcmeChannel(new AcmeHttp(AcmeTransport.Create(options), options.RequestTimeout, time), options, time, loggers.CreateLogger<AcmeClient>());
        Client = new AcmeClient(Channel, time);
        Accounts = new AcmeAccounts(Channel, store, time, loggers.CreateLogger<AcmeAccounts>());
        RenewalInfo = new RenewalInfoClient(Channel);
    }

    public AcmeChannel Channel { get; }

    public AcmeClient Client { get; }

    public AcmeAccounts Accounts { get; }

    public RenewalInfoClient RenewalInfo { get; }

    public Uri DirectoryUrl => Channel.DirectoryUrl;

    public void Dispose()
    {
        Accounts.Dispose();
        Channel.Dispose();
    }
}
