using Piccolo.Core.Apps.Manifest;

namespace Piccolo.Tests.Core.Apps.Manifest;

internal sealed class ManifestChangesTests
{
    private const string Before = """
        name: a
        services:
          web: { image: w:1, environment: { A: secret-value }, mounts: { /data: data }, depends_on: { db: started } }
          db: { image: d:1 }
          migrate: { image: w:1, run: once }
        listeners: [{ name: c, service: web, guest_port: 80 }]
        storage: { persistent: { data: {} } }
        """;

    [Test]
    public void Between_NothingAndAManifest_AddsEverything() => Assert.That(ManifestChanges.Between(null, Parse(Before)), Is.EqualTo(new[]
    {
        "The service 'web' is added.",
        "The service 'db' is added.",
        "The service 'migrate' is added.",
        "The volume 'data' is new.",
    }));

    [TestCase("", "")]
    [TestCase("w:1, environment", "w:1, environment", TestName = "Between_TheSame_IsNothing")]
    [TestCase("depends_on: { db: started }", "depends_on: {}")]
    [TestCase("db: { image: d:1 }", "db: { image: d:1, stop: { grace: 5m }, healthcheck: image }")]
    [TestCase("data: {}", "data: { size_limit: 1GB }")]
    public void Between_WhatNeedsNoOtherContainer_IsNothing(string from, string to) =>
        Assert.That(ManifestChanges.Between(Parse(Before), Parse(from.Length == 0 ? Before : Before.Replace(from, to, StringComparison.Ordinal))), Is.Empty);

    [TestCase("db: { image: d:1 }", "db: { image: d:2, user: 1 }", "The service 'db' is made anew: image, user changed.")]
    [TestCase("secret-value", "another", "The service 'web' is made anew: environment changed.")]
    [TestCase("/data: data", "/data: { volume: data, read_only: true }", "The service 'web' is made anew: mounts changed.")]
    [TestCase("guest_port: 80", "guest_port: 81", "The service 'web' is made anew: listeners changed.")]
    [TestCase("db: { image: d:1 }", "db: { image: d:1, resources: { shm: 1MB, limits: { cpu: 1 } }, init: true }",
        "The service 'db' is made anew: init, resources.limits, resources.shm changed.")]
    public void Between_AChangedField_MakesItsServiceAnewAndNamesNoValue(string from, string to, string sentence) => Assert.That(
        ManifestChanges.Between(Parse(Before), Parse(Before.Replace(from, to, StringComparison.Ordinal))),
        Is.EqualTo(new[] { sentence, "The service 'migrate' runs once more." }));

    [Test]
    public void Between_ServicesAndVolumesComeAndGo_SaysSo()
    {
        var after = Parse("name: a\nservices: { web: { image: w:1 }, cache: { image: c:1 } }\nlisteners: [{ name: c, service: web, guest_port: 80 }]\n"
            + "storage: { persistent: { other: {} } }\n");

        Assert.That(ManifestChanges.Between(Parse(Before), after), Is.EqualTo(new[]
        {
            "The service 'web' is made anew: environment, mounts changed.",
            "The service 'cache' is added.",
            "The service 'db' is removed.",
            "The service 'migrate' is removed.",
            "The volume 'other' is new.",
            "The volume 'data' is no longer in the manifest.",
        }));
    }

    private static AppManifest Parse(string text)
    {
        var result = AppManifestParser.Parse(text);
        Assert.That(result.Errors, Is.Empty);
        return result.Manifest!;
    }
}
