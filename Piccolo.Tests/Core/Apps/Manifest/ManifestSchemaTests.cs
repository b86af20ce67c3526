using System.Text.Json.Nodes;
using CsCheck;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Manifest.Reading;
using Piccolo.Tests.Fakes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>The schema says what the reader takes: neither knows a field that the other does not.</summary>
internal sealed class ManifestSchemaTests
{
    /// <summary>What only becomes visible when several fields, or the parts of one text, are looked at together.</summary>
    private static readonly string[] CodesBeyondTheSchema =
    [
        ManifestErrorCodes.UnknownReference, ManifestErrorCodes.Conflict, ManifestErrorCodes.Duplicate, ManifestErrorCodes.Circle, ManifestErrorCodes.Required,
    ];

    private static readonly JsonNode Schema = JsonNode.Parse(ManifestSchema.Json)!;

    private static IEnumerable<string> ValidFiles =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "TestData", "manifests", "valid"), "*.yaml");

    [Test]
    public void Schema_HasEveryFieldOfTheReader()
    {
        Assert.That(Schema["properties"]!.AsObject().Select(p => p.Key), Is.SupersetOf(AppFields.Table.Names));
        Assert.That(Schema["properties"]!["services"]!["additionalProperties"]!["properties"]!.AsObject().Select(p => p.Key),
            Is.SupersetOf(ServiceFields.Table.Names));
        Assert.That(Schema["properties"]!["listeners"]!["items"]!["properties"]!.AsObject().Select(p => p.Key), Is.EquivalentTo(ListenerFields.Table.Names));
        Assert.That(AppFields.Table.Names, Has.Count.GreaterThan(25), "the rule looks at something");
    }

    [Test]
    public void Schema_EveryPlace_IsClosedAndEveryFieldIsDescribed()
    {
        var objects = Places(Schema).Where(p => p["properties"] is not null).ToList();
        var fields = objects.SelectMany(o => o["properties"]!.AsObject()).Where(f => f.Value!["type"] is not null && f.Value["properties"] is null).ToList();

        Assert.That(objects, Has.Count.GreaterThan(15));
        Assert.That(objects.Where(o => (bool?)o["additionalProperties"] is not false), Is.Empty);
        Assert.That(fields.Where(f => f.Value!["description"] is null && f.Key != "x-piccolo").Select(f => f.Key), Is.Empty);
    }

    /// <summary>Each field that the schema calls refused is refused by the reader, and with the words of this release.</summary>
    [Test]
    public void Schema_FieldsNotInThisRelease_AreRefusedByTheReader()
    {
        var refused = Schema["properties"]!.AsObject().Where(p => p.Value!["not"] is not null && p.Key != "x-piccolo").Select(p => p.Key).ToList();

        Assert.That(refused, Is.SupersetOf(new[] { "update", "backup", "questions", "files", "network_of", "build", "pins_url" }));
        foreach (var field in refused)
            Assert.That(Parse($"name: a\nimage: b\nlisteners: [{{ name: c, guest_port: 1 }}]\n{field}: [x]\n").Errors.Select(e => (e.Path, e.Code)),
                Is.EqualTo(new[] { (field, ManifestErrorCodes.NotAvailable) }));
    }

    [TestCaseSource(nameof(ValidFiles))]
    public void Schema_AllowsWhatIsValid(string file)
    {
        // Words of the first grammar may be in capitals too, and empty lists of what was not available are no fields; no new manifest needs either.
        var text = File.ReadAllText(file).Replace("TCP", "tcp", StringComparison.Ordinal).Replace("Http", "http", StringComparison.Ordinal)
            .Replace("depends_on: []\n", "", StringComparison.Ordinal).Replace("protocol_middleware: []\n", "remote_ports: [443]\n", StringComparison.Ordinal)
            .Replace("remote_ports: [443, 8443]\n    remote_ports: [443]\n", "remote_ports: [443, 8443]\n", StringComparison.Ordinal);
        Assert.That(Parse(text).Errors, Is.Empty);

        Assert.That(SchemaCheck.Errors(Schema, ToJson(text)), Is.Empty);
    }

    [Test]
    public void Schema_Normalised_IsAllowed()
    {
        foreach (var file in ValidFiles)
            Assert.That(SchemaCheck.Errors(Schema, NormalManifest.Write(Parse(File.ReadAllText(file)).Manifest!)), Is.Empty, file);
    }

    [TestCase("name: a\nlisteners: [{ name: c, guest_port: 1 }]")]
    [TestCase("name: a\nimage: b\nservices: { w: { image: a } }\nlisteners: [{ name: c, guest_port: 1 }]")]
    [TestCase("name: a\nservices: { w: {} }\nlisteners: [{ name: c, guest_port: 1 }]")]
    [TestCase("name: a\nimage: b\nlisteners: []")]
    [TestCase("name: a\nimage: b\nlisteners: [{ name: c, guest_port: 70000 }]")]
    [TestCase("name: A\nimage: b\nlisteners: [{ name: c, guest_port: 1 }]")]
    [TestCase("name: a\nimage: b\nimgae: c\nlisteners: [{ name: c, guest_port: 1 }]")]
    [TestCase("name: a\nimage: b\nlisteners: [{ name: c, guest_port: 1, x-piccolo: { x-any: 1 } }]")]
    [TestCase("name: a\nimage: b\nlisteners: [{ name: c, guest_port: 1 }]\nx-piccolo: { backup: 1 }")]
    [TestCase("name: a\nimage: b\nlisteners: [{ name: c, guest_port: 1 }]\npermissions: { capabilities: [SYS_ADMIN] }")]
    [TestCase("name: a\nimage: b\nlisteners: [{ name: c, guest_port: 1 }]\npermissions: { network: { internet: no } }")]
    [TestCase("name: a\nimage: b\nlisteners: [{ name: c, guest_port: 1 }]\npermissions: { sysctls: { kernel.hostname: x } }")]
    [TestCase("name: a\nimage: b\nlisteners: [{ name: c, guest_port: 1 }]\nsecrets: { s: { generate: vapid } }")]
    [TestCase("name: a\nimage: b\nlisteners: [{ name: c, guest_port: 1 }]\nhealthcheck: { http: { path: / } }")]
    public void Schema_RefusesWhatTheReaderRefuses(string text)
    {
        Assert.That(Parse(text).IsValid, Is.False);
        Assert.That(SchemaCheck.Errors(Schema, ToJson(text)), Is.Not.Empty);
    }

    /// <summary>What the schema allows, the parser takes, but for what needs several fields to be seen.</summary>
    [Test]
    public void Reader_TakesWhatTheSchemaAllows()
    {
        var valid = 0;
        SchemaInstances.Of(Schema).Seeded().Sample(
            json =>
            {
                Assert.That(SchemaCheck.Errors(Schema, json), Is.Empty, "the instance is none of the schema");
                var result = Parse(json.ToJsonString());
                if (result.IsValid) Interlocked.Increment(ref valid);
                Assert.That(result.Errors.Where(e => !CodesBeyondTheSchema.Contains(e.Code)), Is.Empty, json.ToJsonString());
            }, iter: 1_000);
        Assert.That(valid, Is.GreaterThan(10), "some are valid altogether");
    }

    private static ManifestResult Parse(string text) => AppManifestParser.Parse(text);

    private static IEnumerable<JsonObject> Places(JsonNode node) => node switch
    {
        JsonObject o => o.Where(m => m.Value is not null).SelectMany(m => Places(m.Value!)).Prepend(o),
        JsonArray a => a.Where(i => i is not null).SelectMany(i => Places(i!)),
        _ => [],
    };

    /// <summary>As an editor reads YAML: plain numbers and booleans are such.</summary>
    private static JsonNode? ToJson(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return ToJson(stream.Documents[0].RootNode);
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        // Nothing at all stands for a mapping without fields under a name, and for no field elsewhere.
        YamlMappingNode map => new JsonObject(map.Where(m => !IsNull(m.Value) || m.Key.ToString() == "db")
            .Select(m => KeyValuePair.Create(m.Key.ToString(), IsNull(m.Value) ? new JsonObject() : ToJson(m.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } flag => JsonValue.Create(flag.Value == "true"),
        YamlScalarNode { Style: ScalarStyle.Plain } plain when long.TryParse(plain.Value, null, out var number) => JsonValue.Create(number),
        YamlScalarNode { Style: ScalarStyle.Plain } plain when double.TryParse(plain.Value, null, out var number) => JsonValue.Create(number),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => throw new InvalidOperationException(),
    };

    private static bool IsNull(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "~" or "null" };
}
