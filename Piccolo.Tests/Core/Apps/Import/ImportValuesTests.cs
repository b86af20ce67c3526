using Piccolo.Core.Apps.Import;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>Secrets, addresses, and what has no value.</summary>
internal sealed class ImportValuesTests
{
    [Test]
    public void Password_SameInSeveralServices_IsOneSecretAlsoInUrlsAndCommands()
    {
        var result = Composed.Import("""
            services:
              web:
                image: a
                ports: [80]
                environment: {DB_PASS: example, DATABASE_URL: "postgres://notes:example@db:5432/notes", QUEUE: "redis://:example@q"}
              db: {image: "postgres:17", environment: {POSTGRES_USER: notes, POSTGRES_PASSWORD: example}}
              q: {image: redis, command: "redis-server --requirepass example", healthcheck: {test: "redis-cli -a example ping"}}
            """);

        Assert.That(result.Manifest()["secrets"]!.AsObject().Select(s => s.Key), Is.EqualTo(new[] { "db_pass" }));
        Assert.That((string?)result.Service()!["environment"]!["DATABASE_URL"], Is.EqualTo("postgres://notes:${secret.db_pass}@db:5432/notes"));
        Assert.That((string?)result.Service()!["environment"]!["QUEUE"], Is.EqualTo("redis://:${secret.db_pass}@q"));
        Assert.That((string?)result.Service("db")!["environment"]!["POSTGRES_PASSWORD"], Is.EqualTo("${secret.db_pass}"));
        Assert.That((string?)result.Service("q")!["command"]![2], Is.EqualTo("${secret.db_pass}"));
        Assert.That(result.Line("services.q.healthcheck.test").Verdict, Is.EqualTo(ImportVerdict.Dropped), "a check has no values");
        Assert.That(result.Manifest, Does.Not.Contain("example"));
    }

    [Test]
    public void Password_OfTheEnvironmentFile_IsASecretWhereverItStands()
    {
        var result = Composed.Import("""
            services:
              web: {image: a, ports: [80], env_file: .env, environment: ["URL_DB=mysql://u:${DB_PASSWORD}@db"]}
              db: {image: "mariadb:11", environment: ["MYSQL_PASSWORD=${DB_PASSWORD}", "MYSQL_ROOT_PASSWORD=${DB_ROOT_PASSWORD:-root}"],
                   healthcheck: {test: "mariadb-admin ping -p${DB_PASSWORD}"}}
            """, "DB_PASSWORD=changeme\n");

        Assert.That(result.Manifest()["secrets"]!.AsObject().Select(s => s.Key), Is.EqualTo(new[] { "db_password", "db_root_password" }));
        Assert.That((string?)result.Service()!["environment"]!["DB_PASSWORD"], Is.EqualTo("${secret.db_password}"));
        Assert.That((string?)result.Service()!["environment"]!["URL_DB"], Is.EqualTo("mysql://u:${secret.db_password}@db"));
        Assert.That((string?)result.Service("db")!["healthcheck"]!["command"]![2], Is.EqualTo("mariadb-admin ping -p$MYSQL_PASSWORD"));
    }

    [Test]
    public void Password_OfTheDatabaseOnly_Stays()
    {
        var result = Composed.Import(
            "services: {web: {image: a, ports: [80]}, db: {image: 'postgres:17', environment: {POSTGRES_PASSWORD: notes, POSTGRES_USER: notes}}}");

        Assert.That((string?)result.Service("db")!["environment"]!["POSTGRES_PASSWORD"], Is.EqualTo("notes"));
        Assert.That(result.Line("services.db.environment.POSTGRES_PASSWORD").Verdict, Is.EqualTo(ImportVerdict.Dropped));
    }

    [TestCase("SECRET_KEY: ''", "secret_key", "hex", 64)]
    [TestCase("SECRET_KEY_BASE: <generate with openssl>", "secret_key_base", "hex", 64)]
    [TestCase("NEXTAUTH_SECRET: replace_me", "nextauth_secret", "hex", 64)]
    [TestCase("ENCRYPTION_KEY: CHANGE_ME", "encryption_key", "alnum", 32)]
    [TestCase("ADMIN_PASSWORD: admin", "admin_password", "alnum", 32)]
    [TestCase("ADMIN_PASSWORD: ${ADMIN_PASSWORD}", "admin_password", "alnum", 32)]
    [TestCase("ADMIN_PASSWORD: ${ADMIN_PASSWORD:?set it}", "admin_password", "alnum", 32)]
    [TestCase("DB_PASS: 00000000", "db_pass", "alnum", 32)]
    [TestCase("INSTANCE_UUID: ''", null, null, 0)]
    [TestCase("SMTP_PASSWORD: ''", null, null, 0)]
    [TestCase("OPENAI_API_KEY: changeme", null, null, 0)]
    [TestCase("ADMIN_PASSWORD: kT9x-Q2mv8", null, null, 0)]
    [TestCase("PASSWORD_RESET: ''", null, null, 0)]
    [TestCase("VAPID_PUBLIC_KEY: ''", null, null, 0)]
    [TestCase("TOKEN_LIFETIME: '3600'", null, null, 0)]
    public void Secret_ByNameAndValue_IsMadeUpOrKept(string variable, string? secret, string? alphabet, int length)
    {
        var result = Composed.Web($"environment:\n  {variable}");
        var made = result.Manifest()["secrets"]?.AsObject().SingleOrDefault();

        Assert.That((made?.Key, (string?)made?.Value?["generate"], (int?)made?.Value?["length"] ?? 0), Is.EqualTo((secret, alphabet, length)));
        if (secret is not null) Assert.That(result.Questions, Is.Empty);
    }

    [Test]
    public void Secret_OfLaravel_IsWrittenAsItWantsIt()
    {
        Assert.That((string?)Composed.Web("environment: {APP_KEY: ''}").Service()!["environment"]!["APP_KEY"], Is.EqualTo("base64:${secret.app_key}"));
        Assert.That(Composed.Import("services: {web: {image: 'fireflyiii/core', ports: [80], environment: {APP_KEY: ''}}}").Manifest,
            Does.Contain("generate: alnum"));
    }

    [Test]
    public void Secret_GivenAsAFile_BecomesAVariable()
    {
        var result = Composed.Import("""
            services:
              web: {image: a, ports: [80], environment: {DB_PASSWORD_FILE: /run/secrets/db}, secrets: [db]}
              db: {image: "postgres:17", environment: {POSTGRES_PASSWORD_FILE: /run/secrets/db}, secrets: [{source: db}]}
            secrets: {db: {file: ./db.txt}}
            """);

        Assert.That(result.Service("db")!["environment"]!.ToJsonString(), Is.EqualTo("""{"POSTGRES_PASSWORD":"${secret.db}"}"""));
        Assert.That(result.Service()!["environment"]!.ToJsonString(), Is.EqualTo("""{"DB_PASSWORD":"${secret.db}"}"""));
        Assert.That(result.Line("services.db.secrets[0]").Verdict, Is.EqualTo(ImportVerdict.Translated));
    }

    [TestCase("BASE_URL: http://localhost:8080/", "${listener.web.url}/")]
    [TestCase("APP_URL: https://notes.example.com/sub?x=1", "${listener.web.url}/sub?x=1")]
    [TestCase("DOMAIN: https://vw.domain.tld", "${listener.web.url}")]
    [TestCase("DOMAIN: example.org", "${listener.web.host}")]
    [TestCase("DOMAIN: ${DOMAIN}", "${listener.web.host}")]
    [TestCase("NEXTAUTH_URL: ''", "${listener.web.url}")]
    [TestCase("ALLOWED_HOSTS: localhost,127.0.0.1", "${listener.web.host},localhost,127.0.0.1")]
    [TestCase("ALLOWED_HOSTS: '*'", "*")]
    [TestCase("CSRF_TRUSTED_ORIGINS: ''", "${listener.web.url}")]
    [TestCase("DOMAIN: notes.smith.family", "notes.smith.family")]
    [TestCase("SMTP_DOMAIN: example.org", "example.org")]
    [TestCase("REDIS_URL: redis://localhost", "redis://localhost")]
    [TestCase("HOST: localhost", "localhost")]
    public void Address_OfTheAppItself_IsThatOfTheBox(string variable, string expected)
    {
        var result = Composed.Web($"environment:\n  {variable}");

        Assert.That((string?)result.Service()!["environment"]!.AsObject().Single().Value, Is.EqualTo(expected));
        Assert.That(result.Questions, Is.Empty);
    }

    [Test]
    public void Variable_WithoutAValue_IsAskedOnce()
    {
        var result = Composed.Web("environment: ['A=${LANGUAGE}', 'B=${LANGUAGE:?needed}', 'C=${OTHER:-x}']\nuser: ${RUN_AS}");

        Assert.That(result.Questions.Select(q => (q.Variable, q.Path, q.IsRequired)),
            Is.EqualTo(new[] { ("LANGUAGE", "services.web.environment[0]", true), ("RUN_AS", "services.web.user", false) }));
        Assert.That(Composed.Web("user: ${RUN_AS}", "RUN_AS=1000").Service()!["user"]!.ToString(), Is.EqualTo("1000"));
    }

    [TestCase("$${secret.x}", "$${secret.x}")]
    [TestCase("$$$${listener.x.url}", "$$${listener.x.url}")]
    [TestCase("$${HOME}", "${HOME}")]
    [TestCase("\\x01secret.x\\x02", "\uFFFDsecret.x\uFFFD")]
    public void Text_ThatLooksLikeAValueOfTheBox_IsNone(string text, string expected) =>
        Assert.That((string?)Composed.Web($"environment: {{A: \"{text}\"}}").Service()!["environment"]!["A"], Is.EqualTo(expected));

    [Test]
    public void Store_Recognised_GetsWhatItNeeds()
    {
        var result = Composed.Import("services: {web: {image: a, ports: [80]}, db: {image: 'docker.io/library/postgres:17', stop_grace_period: 5s}}");

        Assert.That((string?)result.Service("db")!["resources"]!["shm"], Is.EqualTo("256MB"));
        Assert.That((string?)result.Service("db")!["stop"]!["grace"], Is.EqualTo("120s"));
        Assert.That((int)result.Service("db")!["healthcheck"]!["tcp"]!["port"]!, Is.EqualTo(5432));
    }
}
