using System.Text.Json;
using CsCheck;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Core.Apps.Manifest;

/// <summary>A manifest written out is the same manifest: nothing is lost on the way, and nothing is added.</summary>
internal sealed class NormalManifestTests
{
    [TestCase("full")]
    [TestCase("minimal")]
    [TestCase("services")]
    public void Write_ParsedAgain_IsTheSameManifest(string name)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "TestData", "manifests", "valid", name + ".yaml");
        var manifest = AppManifestParser.Parse(File.ReadAllText(file)).Manifest!;

        var again = AppManifestParser.Parse(NormalManifest.Write(manifest).ToJsonString());

        Assert.That(again.Errors, Is.Empty);
        Assert.That(TextOf(again.Manifest!), Is.EqualTo(TextOf(manifest)));
    }

    [Test]
    public void Write_WhateverTheSchemaAllows_ParsedAgainIsTheSameManifest()
    {
        var schema = System.Text.Json.Nodes.JsonNode.Parse(ManifestSchema.Json)!;
        SchemaInstances.Of(schema).Seeded().Sample(
            json =>
            {
                if (AppManifestParser.Parse(json.ToJsonString()).Manifest is not { } manifest) return;
                Assert.That(TextOf(AppManifestParser.Parse(NormalManifest.Write(manifest).ToJsonString()).Manifest!), Is.EqualTo(TextOf(manifest)));
            }, iter: 1_000);
    }

    [Test]
    public void Write_OfSecrets_HasTheDefinitionsOnly()
    {
        var manifest = AppManifestParser.Parse(
            "name: a\nimage: b\nlisteners: [{ name: c, guest_port: 1 }]\nsecrets: { db: { generate: hex, length: 8 } }\n"
            + "environment: { A: \"${secret.db}\" }").Manifest!;

        Assert.That(NormalManifest.Write(manifest)["secrets"]!.ToJsonString(), Is.EqualTo("""{"db":{"generate":"hex","length":8}}"""));
    }

    // Every member, as the store writes it. The grace that a manifest does not say is written out, and so is said the second time.
    private static string TextOf(AppManifest manifest) => JsonSerializer.Serialize(
        manifest with { Services = [.. manifest.Services.Select(s => s with { StopGrace = StopGraces.For(s) })] });
}
