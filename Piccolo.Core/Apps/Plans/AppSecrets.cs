using System.Collections.Immutable;
using System.Security.Cryptography;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.ControlStore;

namespace Piccolo.Core.Apps.Plans;

/// <summary>
/// What was generated for an app, by the names of its manifest. Made once and kept over updates, removal and re-installation until the app's data is purged:
/// a database knows its password from its first start on.
/// </summary>
internal sealed record AppSecrets(string App, ImmutableSortedDictionary<string, string> Values)
{
    internal static readonly StoreCollection<AppSecrets> Collection = new("app-secrets");

    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// <summary>Generates in the transaction what the manifest names and the app does not have yet.</summary>
    public static void Complete(StoreTransaction transaction, AppManifest manifest)
    {
        var known = transaction.Get(Collection, manifest.Name)?.Values ?? ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        var missing = manifest.Secrets.Where(s => !known.ContainsKey(s.Key)).ToList();
        if (missing.Count == 0) return;
        var made = missing.Select(s => KeyValuePair.Create(s.Key, Generate(s.Value)));
        transaction.Put(Collection, manifest.Name, new AppSecrets(manifest.Name, known.AddRange(made)));
    }

    internal static string Generate(SecretDefinition definition) => definition.Format switch
    {
        SecretFormat.Alnum => RandomNumberGenerator.GetString(Letters, definition.Length),
        SecretFormat.Hex => RandomNumberGenerator.GetHexString(definition.Length, lowercase: true),
        SecretFormat.Base64 => Convert.ToBase64String(RandomNumberGenerator.GetBytes(definition.Length)),
        SecretFormat.Uuid => Guid.NewGuid().ToString(),
        _ => throw new InvalidOperationException(),
    };

    /// <summary>The values are left out.</summary>
    public override string ToString() => $"{App} secrets={Values.Count}";
}
