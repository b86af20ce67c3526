using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Piccolo.Core.Certificates.Acme;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Wire;
using Piccolo.Core.Certificates.Ledger;

namespace Piccolo.Core.Certificates.Orders;

/// <summary>
/// The appliance's account at one CA: made once, however many orders ask for it at the same time; contact kept in step, replaced when the CA has ended it.
/// Thread-safe.
/// </summary>
internal sealed class AcmeAccounts(AcmeChannel channel, ICertificateStore store, TimeProvider time, ILogger<AcmeAccounts> logger) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);
    private readonly AcmeAccountClient _client = new(channel);

    public AcmeAccountClient Client => _client;

    private Uri Directory => channel.DirectoryUrl;

    private string? Email => string.IsNullOrWhiteSpace(channel.Options.Email) ? null : channel.Options.Email;

    /// <summary>The account's address at the CA, which a CAA record can name (RFC 8657, 3); null while there is none or the store is closed.</summary>
    public Uri? KnownUrl()
    {
        if (!store.IsOpen) return null;
        var record = store.Account(Directory);
        Wipe(record);
        return record?.Url;
    }

    /// <param name="gone">The account's URL that the CA turned out not to know, if so.</param>
    public Task<AcmeResult<AcmeAccount>> GetAsync(Uri? gone, CancellationToken cancellationToken) =>
        ExclusivelyAsync(record => ReadyAsync(record ?? Create(), gone, cancellationToken), cancellationToken);

    /// <summary>Another account with another key in place of one that the CA has ended: its key is worth nothing there.</summary>
    /// <param name="deactivated">The URL of that account; one that has taken its place meanwhile is used.</param>
    public Task<AcmeResult<AcmeAccount>> ReplaceAsync(Uri deactivated, CancellationToken cancellationToken) => ExclusivelyAsync(record =>
    {
        if (record?.Url == deactivated) logger.AccountGone(Directory.Host);
        return ReadyAsync(record is null || record.Url == deactivated ? Create() : record, null, cancellationToken);
    }, cancellationToken);

    public void Dispose() => _oneAtATime.Dispose();

    private async Task<T> ExclusivelyAsync<T>(Func<AccountRecord?, Task<T>> act, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        AccountRecord? record = null;
        try
        {
            return await act(record = store.Account(Directory));
        }
        finally
        {
            Wipe(record);
            _oneAtATime.Release();
        }
    }

    private async Task<AcmeResult<AcmeAccount>> ReadyAsync(AccountRecord record, Uri? gone, CancellationToken cancellationToken)
    {
        if (record.Url is null || record.Url == gone)
        {
            if (gone is not null) logger.AccountGone(Directory.Host);
            return await RegisterAsync(record, cancellationToken);
        }
        var account = new AcmeAccount(record.Url, Signer(record.KeyPkcs8));
        if (record.Email == Email) return account;
        var refused = await _client.UpdateContactAsync(account, Email, cancellationToken);
        // An address that the CA does not take is no reason to go without certificates; it is told again with the next order.
        if (refused is null) store.Put(record with { Email = Email });
        else logger.ContactRefused(Directory.Host, refused.Code, refused.Detail);
        return account;
    }

    private AccountRecord Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var record = new AccountRecord(Directory, key.ExportPkcs8PrivateKey(), null, time.GetUtcNow());
        store.Put(record);
        return record;
    }

    private async Task<AcmeResult<AcmeAccount>> RegisterAsync(AccountRecord record, CancellationToken cancellationToken)
    {
        var signer = Signer(record.KeyPkcs8);
        // newAccount with a key that the CA knows answers with the account that exists (RFC 8555, 7.3.1): asking twice makes one account.
        var url = await _client.CreateAsync(signer, cancellationToken);
        if (url.Failure is { } failure)
        {
            signer.Dispose();
            return failure;
        }
        store.Put(record with { Url = url.Value, Email = Email });
        logger.AccountRegistered(Directory.Host);
        return new AcmeAccount(url.Value, signer);
    }

    private static JwsSigner Signer(byte[] pkcs8)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        return new JwsSigner(key);
    }

    private static void Wipe(AccountRecord? record) => CryptographicOperations.ZeroMemory(record?.KeyPkcs8);
}
