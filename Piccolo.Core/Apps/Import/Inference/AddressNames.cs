using System.Text.RegularExpressions;

namespace Piccolo.Core.Apps.Import.Inference;

/// <summary>Variables that tell an app how it is called from outside.</summary>
internal static partial class AddressNames
{
    public static bool IsOwnAddress(string variable) => NamePattern().IsMatch(variable) && !OtherPattern().IsMatch(variable);

    /// <summary>Whether the variable takes more than one name, so that the box's is added and nothing is taken away.</summary>
    public static bool IsList(string variable) => ListPattern().IsMatch(variable);

    /// <summary>Whether an empty value stands for a whole URL, not for a host name.</summary>
    public static bool IsUrl(string variable) => UrlPattern().IsMatch(variable);

    /// <summary>Whether a host name is nobody's: this machine, a private address, or one of an example.</summary>
    public static bool IsExampleHost(string host) => HostPattern().IsMatch(host);

    [GeneratedRegex(
        @"(?:^|_)(?:DOMAIN|DOMAIN_NAME|BASE_?URL|APP_?URL|ROOT_?URL|SITE_?URL|PUBLIC_?URL|NEXTAUTH_?URL|EXTERNAL_?URL|SERVER_?URL|WEB_?URL|SELF_?URL|HOST_?URL|"
        + "FRONTEND_?URL|BACKEND_?BASE_?URL|PublishedServerUrl|SERVER_?NAME|SERVER_?HOSTNAME|FQDN|APP_DOMAIN|SITE_DOMAIN|LOCAL_DOMAIN|"
        + "WEB_DOMAIN|WEBSERVER_HOSTNAME|OVERWRITEHOST|"
        + "OVERWRITE_?CLI_?URL|VIRTUAL_HOST|LETSENCRYPT_HOST|APP_?HOST|SITE_?ROOT_?URL|PAPERLESS_URL|SERVER_HOST|HOSTNAME_EXTERNAL|"
        + "TRUSTED_(?:DOMAINS|HOSTS|ORIGINS)|"
        + @"ALLOWED_(?:HOSTS|ORIGINS)|CSRF_?TRUSTED_?ORIGINS|CORS_ALLOWED_ORIGINS|APPLICATION_HOSTS?|DEVICE_DOMAIN_NAME|^URL|^url|EXTERNAL_HOST)$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex NamePattern();

    // Addresses of other parts, not of the app.
    [GeneratedRegex("SMTP|MAIL|(?:^|_)DB_|DATABASE|POSTGRES|MYSQL|MARIADB|MONGO|REDIS|VPN|XMPP|COOKIE|LDAP|SSH|AUTH_DOMAIN|MUC|S3_|PROXY|SMARTHOST",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex OtherPattern();

    [GeneratedRegex("(?:TRUSTED_(?:DOMAINS|HOSTS|ORIGINS)|ALLOWED_(?:HOSTS|ORIGINS)|TRUSTEDORIGINS|APPLICATION_HOSTS)$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex ListPattern();

    [GeneratedRegex("(?:URL|ORIGINS)$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex UrlPattern();

    [GeneratedRegex(
        @"^(?:localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1\]|192\.168\.[0-9.]+|10\.[0-9.]+|.*example.*|.*\.(?:tld|local|localhost|test|"
        + @"invalid|lan|home)|.*(?:my|your)[._-]?(?:domain|host|server|ip|site|app).*|"
        + @"(?:.*\.)?(?:domain|yoursite|mysite|host)\.(?:com|org|net|tld)|<.*>|\[.*\]|.*\.mydomain\..*|matrix\.host|hostname|domain|host|server[_-]?ip|ip)\z",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex HostPattern();
}
