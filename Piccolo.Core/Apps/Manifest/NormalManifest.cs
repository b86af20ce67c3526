using System.Text.Json.Nodes;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Listeners;

namespace Piccolo.Core.Apps.Manifest;

/// <summary>
/// A manifest written out in full in its own grammar, as JSON: with <c>services</c>, with the defaults that act, without what is not given. JSON is YAML:
/// parsed again, it gives the same manifest.
/// </summary>
public static class NormalManifest
{
    public static JsonObject Write(AppManifest app)
    {
        var json = new JsonObject
        {
            ["schema"] = ManifestLimits.Schema,
            ["name"] = app.Name,
            ["type"] = Word(app.Type),
            ["services"] = Map(app.Services, s => s.Name, Write),
            ["listeners"] = new JsonArray([.. app.Listeners.Select(l => Write(l, app))]),
        };
        if (app.Volumes.Count > 0) json["storage"] = new JsonObject { ["persistent"] = Map(app.Volumes, v => v.Key, v => Write(v.Value)) };
        if (app.Secrets.Count > 0) json["secrets"] = Map(app.Secrets, s => s.Key, s => Write(s.Value));
        return json;
    }

    private static JsonObject Write(ServiceManifest service)
    {
        var json = new JsonObject { ["image"] = service.Image };
        if (!service.Command.IsEmpty) json["command"] = List(service.Command);
        if (!service.Entrypoint.IsEmpty) json["entrypoint"] = List(service.Entrypoint);
        if (service.User is not null) json["user"] = service.User;
        if (service.WorkingDirectory is not null) json["working_dir"] = service.WorkingDirectory;
        if (service.Hostname is not null) json["hostname"] = service.Hostname;
        if (service.HasInit) json["init"] = true;
        if (!service.Aliases.IsEmpty) json["aliases"] = List(service.Aliases);
        if (service.Environment.Count > 0) json["environment"] = Map(service.Environment, e => e.Key, e => JsonValue.Create(e.Value));
        if (!service.Mounts.IsEmpty) json["mounts"] = Map(service.Mounts, m => m.Path, Write);
        if (service.DependsOn.Count > 0) json["depends_on"] = Map(service.DependsOn, d => d.Key, d => JsonValue.Create(Word(d.Value)));
        if (service.Run != RunMode.Always) json["run"] = Word(service.Run);
        if (service.HealthCheck is not null) json["healthcheck"] = Write(service.HealthCheck);
        json["stop"] = new JsonObject { ["grace"] = Durations.Write(StopGraces.For(service)) };
        if (service.StopSignal is not null) json["stop"]!["signal"] = service.StopSignal;
        if (Resources(service) is { Count: > 0 } resources) json["resources"] = resources;
        json["permissions"] = Permissions(service);
        return json;
    }

    private static JsonObject Permissions(ServiceManifest service)
    {
        var json = new JsonObject
        {
            ["network"] = new JsonObject
            {
                ["internet"] = Right(service.Network.Internet),
                ["local_network"] = Right(service.Network.LocalNetwork),
                ["dns"] = Right(service.Network.Dns),
            },
            ["new_privileges"] = Right(service.HasNewPrivileges),
        };
        if (service.Capabilities is { } asked) json["capabilities"] = List(asked);
        if (service.Sysctls.Count > 0) json["sysctls"] = Map(service.Sysctls, s => s.Key, s => JsonValue.Create(s.Value));
        if (service.IsRootReadOnly) json["filesystem"] = new JsonObject { ["read_only_root"] = true };
        return json;
    }

    private static string Right(bool isAllowed) => isAllowed ? "allow" : "deny";

    private static JsonObject Write(MountDefinition mount)
    {
        var json = new JsonObject { ["volume"] = mount.Volume };
        if (mount.IsReadOnly) json["read_only"] = true;
        return json;
    }

    private static JsonObject Write(HealthCheckDefinition check)
    {
        var json = new JsonObject();
        if (check.Http is { } http) json["http"] = new JsonObject { ["path"] = http.Path, ["port"] = http.Port };
        if (check.TcpPort is { } port) json["tcp"] = new JsonObject { ["port"] = port };
        if (!check.Command.IsEmpty) json["command"] = List(check.Command);
        json["interval"] = Durations.Write(check.Interval);
        json["timeout"] = Durations.Write(check.Timeout);
        json["retries"] = check.Retries;
        json["start_period"] = Durations.Write(check.StartPeriod);
        return json;
    }

    private static JsonObject Resources(ServiceManifest service)
    {
        var limits = new JsonObject();
        if (service.MemoryBytes is { } memory) limits["memory"] = ResourceSizes.WriteBytes(memory);
        if (service.NanoCpus is { } cpus) limits["cpu"] = ResourceSizes.WriteNanoCpus(cpus);
        var json = new JsonObject();
        if (limits.Count > 0) json["limits"] = limits;
        if (service.SharedMemoryBytes is { } shared) json["shm"] = ResourceSizes.WriteBytes(shared);
        if (service.TemporaryFolders.Count > 0)
            json["tmpfs"] = Map(service.TemporaryFolders, t => t.Key, t => JsonValue.Create(ResourceSizes.WriteBytes(t.Value)));
        return json;
    }

    private static JsonObject Write(ListenerDefinition listener, AppManifest app)
    {
        var json = new JsonObject
        {
            ["name"] = listener.Name,
            ["service"] = app.ServiceOf(listener).Name,
            ["guest_port"] = listener.GuestPort,
            ["flow"] = Word(listener.Flow),
            ["protocol"] = Word(listener.Protocol),
            ["remote_ports"] = new JsonArray([.. listener.RemotePorts.Select(p => JsonValue.Create(p))]),
        };
        var own = new JsonObject();
        if (listener.ClientHeader == ClientHeader.ProxyV2) own["proxy_protocol"] = "v2";
        if (listener.HstsMaxAge is { } age) own["hsts_max_age"] = age;
        if (listener.HealthPath is not null) own["health_path"] = listener.HealthPath;
        if (own.Count > 0) json["x-piccolo"] = own;
        return json;
    }

    private static JsonObject Write(VolumeDefinition volume)
    {
        var json = new JsonObject { ["kind"] = VolumeKinds.WordOf(volume.Kind) };
        if (volume.SizeLimitBytes is { } bytes) json["size_limit"] = ResourceSizes.WriteBytes(bytes);
        return json;
    }

    private static JsonObject Write(SecretDefinition secret)
    {
        var json = new JsonObject { ["generate"] = Word(secret.Format) };
        if (secret.Format != SecretFormat.Uuid) json["length"] = secret.Length;
        return json;
    }

    private static JsonObject Map<T>(IEnumerable<T> items, Func<T, string> key, Func<T, JsonNode?> write) =>
        new(items.Select(i => KeyValuePair.Create(key(i), write(i))));

    private static JsonArray List(IEnumerable<string> words) => new([.. words.Select(w => JsonValue.Create(w))]);

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
