# installed data: default model, corpus, examples
corpusdir = $(pkgdatadir)/corpus
dist_corpus_DATA = share/corpus/README.md share/corpus/twins.txt \
	share/corpus/accessibility_wearables.jsonl \
	share/corpus/astronomy_earth.jsonl \
	share/corpus/banking_payments.jsonl \
	share/corpus/business_crm_hr.jsonl \
	share/corpus/calendar_events.jsonl \
	share/corpus/calls_contacts.jsonl \
	share/corpus/camera_photos.jsonl \
	share/corpus/chemistry_biology.jsonl \
	share/corpus/cleaning_garden_pets.jsonl \
	share/corpus/clinic_pharmacy.jsonl \
	share/corpus/cloud_data_apis.jsonl \
	share/corpus/connectivity.jsonl \
	share/corpus/courses_campus.jsonl \
	share/corpus/data_text_tools.jsonl \
	share/corpus/developer_devops.jsonl \
	share/corpus/device_settings.jsonl \
	share/corpus/education_language.jsonl \
	share/corpus/electronics_engineering.jsonl \
	share/corpus/email.jsonl \
	share/corpus/emergency_safety.jsonl \
	share/corpus/entertainment_data.jsonl \
	share/corpus/everyday_calculators.jsonl \
	share/corpus/family_parental.jsonl \
	share/corpus/files_desktop_browser.jsonl \
	share/corpus/finance_formulas.jsonl \
	share/corpus/fitness_sleep.jsonl \
	share/corpus/flights_trains.jsonl \
	share/corpus/focus_wellbeing.jsonl \
	share/corpus/food_recipes.jsonl \
	share/corpus/games.jsonl \
	share/corpus/geography_history_sport.jsonl \
	share/corpus/geometry_algebra.jsonl \
	share/corpus/health_formulas.jsonl \
	share/corpus/health_medical.jsonl \
	share/corpus/home_security.jsonl \
	share/corpus/hotels_rentals.jsonl \
	share/corpus/invented.jsonl \
	share/corpus/invented_acts.jsonl \
	share/corpus/invented_business.jsonl \
	share/corpus/invented_calendar.jsonl \
	share/corpus/invented_daily.jsonl \
	share/corpus/invented_devices.jsonl \
	share/corpus/invented_documents.jsonl \
	share/corpus/invented_food.jsonl \
	share/corpus/invented_garden_pets.jsonl \
	share/corpus/invented_government.jsonl \
	share/corpus/invented_health.jsonl \
	share/corpus/invented_home.jsonl \
	share/corpus/invented_knowledge.jsonl \
	share/corpus/invented_logistics.jsonl \
	share/corpus/invented_media.jsonl \
	share/corpus/invented_messages.jsonl \
	share/corpus/invented_money.jsonl \
	share/corpus/invented_people.jsonl \
	share/corpus/invented_school.jsonl \
	share/corpus/invented_science.jsonl \
	share/corpus/invented_science2.jsonl \
	share/corpus/invented_science3.jsonl \
	share/corpus/invented_settings.jsonl \
	share/corpus/invented_shop.jsonl \
	share/corpus/invented_sport.jsonl \
	share/corpus/invented_tech.jsonl \
	share/corpus/invented_tech2.jsonl \
	share/corpus/invented_travel.jsonl \
	share/corpus/invented_vehicles.jsonl \
	share/corpus/invented_work.jsonl \
	share/corpus/iot_industrial_robots.jsonl \
	share/corpus/kitchen_appliances.jsonl \
	share/corpus/language_ai_services.jsonl \
	share/corpus/law_government_estate.jsonl \
	share/corpus/lexicons.jsonl \
	share/corpus/libraries_heritage_giving.jsonl \
	share/corpus/logistics_energy_agriculture.jsonl \
	share/corpus/maths_units_stats.jsonl \
	share/corpus/media_conversion_ai.jsonl \
	share/corpus/meetings_collaboration.jsonl \
	share/corpus/messaging.jsonl \
	share/corpus/music.jsonl \
	share/corpus/music_theory.jsonl \
	share/corpus/navigation_maps.jsonl \
	share/corpus/news_reading.jsonl \
	share/corpus/notes_voice_memos.jsonl \
	share/corpus/notification_apis.jsonl \
	share/corpus/number_theory.jsonl \
	share/corpus/physics_formulas.jsonl \
	share/corpus/podcasts_audiobooks_radio.jsonl \
	share/corpus/reference_facts.jsonl \
	share/corpus/reminders_todo.jsonl \
	share/corpus/restaurants_places.jsonl \
	share/corpus/rides_transit.jsonl \
	share/corpus/routines_automation.jsonl \
	share/corpus/science_formulas.jsonl \
	share/corpus/screen_recording_sound.jsonl \
	share/corpus/search_knowledge.jsonl \
	share/corpus/shopping_orders.jsonl \
	share/corpus/smart_lights_climate.jsonl \
	share/corpus/social_media.jsonl \
	share/corpus/sports_game_math.jsonl \
	share/corpus/sports_scores.jsonl \
	share/corpus/statistics_probability.jsonl \
	share/corpus/stocks_crypto.jsonl \
	share/corpus/store_admin.jsonl \
	share/corpus/tickets_local_events.jsonl \
	share/corpus/timers_alarms.jsonl \
	share/corpus/travel_money_misc.jsonl \
	share/corpus/tv_streaming.jsonl \
	share/corpus/units_dates_math.jsonl \
	share/corpus/vectors_lists.jsonl \
	share/corpus/vehicles.jsonl \
	share/corpus/weather_environment.jsonl \
	share/corpus/word_string_tools.jsonl \
	share/corpus/world_clock_dates.jsonl
requestsdir = $(corpusdir)/requests
dist_requests_DATA = \
	share/corpus/requests/apis.jsonl \
	share/corpus/requests/args.jsonl \
	share/corpus/requests/assistant.jsonl \
	share/corpus/requests/crowd.jsonl \
	share/corpus/requests/functions.jsonl \
	share/corpus/requests/hint.jsonl \
	share/corpus/requests/home.jsonl \
	share/corpus/requests/life.jsonl \
	share/corpus/requests/machines.jsonl \
	share/corpus/requests/many.jsonl \
	share/corpus/requests/mix.jsonl \
	share/corpus/requests/near.jsonl \
	share/corpus/requests/phone.jsonl \
	share/corpus/requests/said.jsonl \
	share/corpus/requests/several.jsonl \
	share/corpus/requests/talk.jsonl \
	share/corpus/requests/travel.jsonl \
	share/corpus/requests/watch.jsonl \
	share/corpus/requests/work.jsonl \
	share/corpus/requests/world.jsonl
# hashes of the queries that the model is judged on: needle-synth never writes one of them
dist_pkgdata_DATA = share/heldout_hashes.txt share/default.safetensors
EXTRA_DIST += share/MODEL.md share/default.json share/vocab.model contrib/train-default.sh
# a walk through fine-tuning
examplesdir = $(pkgdatadir)/examples
dist_examples_DATA = share/examples/README.md share/examples/tools.json share/examples/data.jsonl \
	share/examples/test.jsonl share/examples/compose.py
EXTRA_DIST += contrib/plot-log.sh contrib/tool-pools.jq share/DATA.md contrib/mix-public.sh contrib/public-corpus.py \
	contrib/average-models.py contrib/baseline.py contrib/error-causes.jq
