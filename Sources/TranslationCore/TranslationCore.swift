// TranslationCore
