using System.Text.RegularExpressions;
using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Manifest.Notation;

namespace Piccolo.Core.Apps.Import.Inference;

/// <summary>What the name of a variable says about the secret in it.</summary>
internal static partial class SecretNames
{
    /// <summary>Whether the box can make the value up: a password between the app's own parts, or a key of its own. Others come from somewhere else.</summary>
    public static bool IsGenerated(string variable) => SecretPattern().IsMatch(variable) && !NoSecretPattern().IsMatch(variable)
        && !ForeignPattern().IsMatch(variable);

    public static bool IsPassword(string variable) => PasswordPattern().IsMatch(variable) && IsGenerated(variable);

    /// <summary>The secret in the place of a poor password. Where the file has the same password in several places, it is one secret.</summary>
    /// <returns>Its name; null where the app has as many as it may.</returns>
    public static string? Plan(ImportContext context, string variable, string literal)
    {
        // A key that is written in its own way is nobody else's.
        if (Of(variable).Alphabet is "base64" or "uuid") return Plan(context.App, variable);
        if (literal.Length > 0 && context.Literals.TryGetValue(literal, out var shared)) return shared;
        var secret = Plan(context.App, variable);
        if (secret is not null && literal.Length > 2) context.Literals.TryAdd(literal, secret);
        return secret;
    }

    private static string? Plan(ImportedApp app, string variable)
    {
        var name = new string([.. variable.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c == '_')]).Trim('_').TrimStart([.. "0123456789_"]);
        if (name.Length > 60) name = name[..60].TrimEnd('_');
        if (name.Length == 0) name = "secret";
        if (app.Secrets.ContainsKey(name)) return name;
        if (app.Secrets.Count == ManifestLimits.Secrets) return null;
        app.Secrets.Add(name, Of(variable));
        return name;
    }

    private static SecretPlan Of(string variable) => variable.ToUpperInvariant() switch
    {
        var v when v.EndsWith("UUID", StringComparison.Ordinal) => new SecretPlan("uuid", null),
        // In bytes: what Laravel calls a key of 256 bits.
        "APP_KEY" => new SecretPlan("base64", 32),
        var v when v.Contains("ENCRYPTION", StringComparison.Ordinal) => new SecretPlan("alnum", 32),
        var v when KeyPattern().IsMatch(v) => new SecretPlan("hex", 64),
        _ => new SecretPlan("alnum", 32),
    };

    [GeneratedRegex(@"(?:^|[_.-]|[a-z](?=[A-Z]))(?:[A-Z]*PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|PW|SECRET|SECRETS|TOKEN|KEY|SALT|SEED|KEY_BASE|UUID)$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex SecretPattern();

    [GeneratedRegex("(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|PW)$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex PasswordPattern();

    [GeneratedRegex("(?:SECRET_KEY|KEY_BASE|SESSION|COOKIE|SECRET|SALT|SEED|KEY)", RegexOptions.CultureInvariant)]
    private static partial Regex KeyPattern();

    // Names of keys, of files, of what is public, and switches.
    [GeneratedRegex(
        @"PUBLIC|KEY_ID|_FILE$|ALLOW|ENABLE|DISABLE|RESET|REQUIRE|RANDOM_ROOT|EMPTY|HEADER|PATH$|URL|AUTH_MODE|VAPID|SSL|TLS|CERT|"
        + @"PRIVATE_KEY_|SSH|SORT|CACHE_KEY|ACCESS_KEY$|^PWD$|^KEY$|^TOKEN$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex NoSecretPattern();

    // Somebody else gives these.
    [GeneratedRegex(
        @"SMTP|MAIL|OAUTH|OIDC|CLIENT_?SECRET|API_?KEY|API_?TOKEN|OPENAI|ANTHROPIC|CLAUDE|GEMINI|OLLAMA|AWS|S3_|MINIO|LDAP|TWITTER|"
        + @"GITHUB|GITLAB|GOOGLE|GOOG_|SLACK|DISCORD|TELEGRAM|"
        + "MAPBOX|VPN|WIREGUARD|LICENSE|CLAIM|CLOUDFLARE|CF_|MAXMIND|GEOIP|GEONAMES|SENTRY|SPACES|STRIPE|TURN_|CAPTCHA|PUSHOVER|TWILIO|"
        + "AZURE|DROPBOX|STEAM|RCON|AGENT|PROXY|UNSPLASH|GIPHY|"
        + "AMPLITUDE|JAAS|WEBHOOK|FACEBOOK|PATREON|RSPAMD|SRS_|RELAY|SASL|KEYCLOAK|AUTH0|OKTA|COGNITO|APPLE|TUNNEL|DEEPL|IPINFO|BOT_",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex ForeignPattern();
}
