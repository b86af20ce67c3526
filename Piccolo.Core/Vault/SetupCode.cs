using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Piccolo.Core.Vault;

/// <summary>
/// What the first owner reads on the console, where <c>Vault:RequireSetupCode</c> asks for it: whoever cannot see the machine cannot claim it. New with
/// each start, never stored. Thread-safe.
/// </summary>
public sealed class SetupCode(IOptions<VaultOptions> options)
{
    // Crockford's base 32: no letter looks like a digit.
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Length = 8;
    private const int MaxTextLength = 64;

    private readonly string _code = RandomNumberGenerator.GetString(Alphabet, Length);

    public bool IsRequired => options.Value.RequireSetupCode;

    /// <summary>As it is shown: <c>ABCD-EFGH</c>.</summary>
    internal string Text => $"{_code[..4]}-{_code[4..]}";

    /// <summary>Whether no code is needed, or this is it. Case, spaces and dashes do not matter, nor O for 0 or I and L for 1.</summary>
    public bool Admits(string? text)
    {
        if (!IsRequired) return true;
        if (text is null or { Length: > MaxTextLength }) return false;
        var given = text.ToUpperInvariant().Replace('O', '0').Replace('I', '1').Replace('L', '1').Where(char.IsAsciiLetterOrDigit);
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes([.. given]), Encoding.ASCII.GetBytes(_code));
    }
}

/// <summary>Prints the set-up code once at start, while there is no owner. The one secret that may be logged: that is its way to the owner.</summary>
internal sealed class SetupCodeAnnouncement(SetupCode code, ApplianceVault vault, ILogger<SetupCodeAnnouncement> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (code.IsRequired && vault.State == VaultState.Unclaimed) logger.SetupCodeIs(code.Text);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
