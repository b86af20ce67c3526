using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme;

namespace Piccolo.Core.Certificates;

/// <summary>The appliance's account at the CA: made once, however many orders ask for it at the same time. Thread-safe.</summary>
internal sealed class AcmeAccounts(AcmeClient client, ICertificateStore store, TimeProvider time, ILogger<AcmeAccounts> logger) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    /// <param name="gone">The account's URL that the CA turned out not to know, if so.</param>
    public async Task<AcmeResult<AcmeAccount>> GetAsync(Uri? gone, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        AccountRecord? record = null;
        try
        {
            record = store.Account(client.DirectoryUrl) ?? Create();
            if (record.Url is not null && record.Url != gone) return new AcmeAccount(record.Url, Signer(record));
            if (gone is not null) logger.AccountGone(client.DirectoryUrl.Host);
            return await RegisterAsync(record, cancellationToken);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(record?.KeyPkcs8);
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private AccountRecord Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var record = new AccountRecord(client.DirectoryUrl, key.ExportPkcs8PrivateKey(), null, time.GetUtcNow());
        store.Put(record);
        return record;
    }

    private async Task<AcmeResult<AcmeAccount>> RegisterAsync(AccountRecord record, CancellationToken cancellationToken)
    {
        var signer = Signer(record);
        // newAccount with a key that the CA knows answers with the account that exists (RFC 8555, 7.3.1): asking twice makes one account.
        var url = await client.CreateAccountAsync(signer, cancellationToken);
        if (url.Failure is { } failure)
        {
            signer.Dispose();
            return failure;
        }
        store.Put(record with { Url = url.Value });
        logger.AccountRegistered(client.DirectoryUrl.Host);
        return new AcmeAccount(url.Value, signer);
    }

    private static JwsSigner Signer(AccountRecord record)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(record.KeyPkcs8, out _);
        return new JwsSigner(key);
    }
}
