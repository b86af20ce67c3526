using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Core.Auth;

public static class AuthServiceCollectionExtensions
{
    public static IServiceCollection AddOwnerAuth(this IServiceCollection services) => services
        .AddSingleton<SessionTable>().AddSingleton<ApiTokenStore>().AddHostedService<TokenEpochLoop>()
        .AddSingleton<GuessLimiter>().AddSingleton<PasswordCheckQueue>().AddSingleton<GuessGate>();
}
