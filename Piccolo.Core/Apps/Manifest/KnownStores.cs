using System.Collections.Immutable;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>What is known of the images of databases and the like.</summary>
public static class KnownStores
{
    private static readonly KnownStore Postgres = new("PostgreSQL", ["/var/lib/postgresql/data", "/var/lib/postgresql"], SpeaksHttp: false);
    private static readonly KnownStore MySql = new("MySQL", ["/var/lib/mysql"], SpeaksHttp: false);
    private static readonly KnownStore Mongo = new("MongoDB", ["/data/db"], SpeaksHttp: false);
    private static readonly KnownStore ClickHouse = new("ClickHouse", ["/var/lib/clickhouse"], SpeaksHttp: true);

    private static readonly ImmutableDictionary<string, KnownStore> ByImage = new Dictionary<string, KnownStore>(StringComparer.Ordinal)
    {
        ["postgres"] = Postgres,
        ["postgresql"] = Postgres,
        ["mariadb"] = MySql with { Title = "MariaDB" },
        ["mysql"] = MySql,
        ["mongo"] = Mongo,
        ["mongodb"] = Mongo,
        ["redis"] = new("Redis", ["/data"], SpeaksHttp: false),
        ["valkey"] = new("Valkey", ["/data"], SpeaksHttp: false),
        ["clickhouse"] = ClickHouse,
        ["clickhouse-server"] = ClickHouse,
        ["influxdb"] = new("InfluxDB", ["/var/lib/influxdb2", "/var/lib/influxdb", "/var/lib/influxdb3"], SpeaksHttp: true),
    }.ToImmutableDictionary(StringComparer.Ordinal);

    /// <summary>Whether the last part of the image's name is that of a store: one of <c>ghcr.io/immich-app/postgres:14</c> is.</summary>
    public static bool IsStore(string image) => Of(image) is not null;

    internal static KnownStore? Of(string image)
    {
        var name = image.Split('@', 2)[0];
        name = name[(name.LastIndexOf('/') + 1)..].Split(':', 2)[0];
        return ByImage.GetValueOrDefault(name);
    }
}

/// <param name="Title">As its makers write it.</param>
/// <param name="DataPaths">Where its data lies; which one, its version decides.</param>
/// <param name="SpeaksHttp">Whether an http listener may lead to it.</param>
internal sealed record KnownStore(string Title, ImmutableArray<string> DataPaths, bool SpeaksHttp);
